//! An application's own metrics.

use prometheus_client::registry::Registry;

use super::App;

impl<S> App<S> {
    /// Adds metrics of the application's own to `GET /metrics` of the admin listener, behind Siding's. Metrics may be counted with
    /// [`prometheus_client`](crate::prometheus_client)'s counters, gauges and histograms, or read when somebody asks, by one of its
    /// [collectors](prometheus_client::collector::Collector), which must not block. It may be called more than once; the metrics of an app
    /// that is merged come along. Names that begin with `siding_`, `http_server_` or `process_` are Siding's.
    ///
    /// ```
    /// use siding::extract::State;
    /// use siding::prometheus_client::metrics::counter::Counter;
    /// use siding::prometheus_client::registry::Registry;
    /// use siding::{App, post};
    ///
    /// async fn order(State(orders): State<Counter>) {
    ///     orders.inc();
    /// }
    ///
    /// let orders = Counter::default();
    /// let mut registry = Registry::with_prefix("shop");
    /// registry.register("orders", "Orders that were taken", orders.clone()); // shop_orders_total
    /// let app: App = App::new("shop").route("/orders", post(order)).with_state(orders).with_metrics(registry);
    /// ```
    pub fn with_metrics(mut self, registry: Registry) -> Self {
        self.metrics.push(registry);
        self
    }
}
