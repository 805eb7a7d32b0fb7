//! What is known, and what the user wants to see of it. It does no input or output.

use std::cmp::Ordering;

use super::client::Sample;
use super::input::Action;
use super::rates::Rates;
use super::wire::Route;

/// Everything that a screen shows.
#[derive(Debug, Clone)]
pub struct Model {
    /// Where the samples come from, for the title.
    pub source: String,
    /// The latest sample.
    pub sample: Option<Sample>,
    /// What happened between it and the one before.
    pub rates: Rates,
    /// Why there is no newer one.
    pub outage: Option<Outage>,
    /// Whether newer ones are left aside.
    pub paused: bool,
    /// What fills the screen.
    pub page: Page,
    /// The order of the routes.
    pub sort: Sort,
    /// Only routes with this in their name are shown.
    pub filter: String,
    /// Whether keys go into the filter.
    pub typing: bool,
    /// The number of the route that is marked. It stays marked wherever the order moves it.
    pub selected: Option<u64>,
    /// The first line of the page of a route.
    pub scroll: u16,
}

/// A server that does not answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// Since when.
    pub since_unix_ms: f64,
    /// What happened when it was asked last.
    pub why: String,
}

/// What fills the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Lanes, routes and stalls.
    Overview,
    /// The marked route.
    Route,
    /// What the keys do.
    Help,
}

/// The order of the routes. The greatest are first, except of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// By requests per second.
    Rate,
    /// By the 99th percentile of the latency.
    P99,
    /// By stalls.
    Stalls,
    /// By name.
    Name,
}

/// What the screen must do after an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Next {
    /// Draw the model.
    Draw,
    /// Leave.
    Leave,
}

impl Sort {
    /// The next one in the circle.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Rate => Self::P99,
            Self::P99 => Self::Stalls,
            Self::Stalls => Self::Name,
            Self::Name => Self::Rate,
        }
    }

    /// Its name, as the foot of the screen has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rate => "requests/s",
            Self::P99 => "p99",
            Self::Stalls => "stalls",
            Self::Name => "name",
        }
    }
}

impl Model {
    /// A model that knows nothing yet.
    #[must_use]
    pub fn new(source: String) -> Self {
        Self {
            source,
            sample: None,
            rates: Rates::default(),
            outage: None,
            paused: false,
            page: Page::Overview,
            sort: Sort::Rate,
            filter: String::new(),
            typing: false,
            selected: None,
            scroll: 0,
        }
    }

    /// Takes over a sample.
    pub fn sampled(&mut self, sample: Sample) {
        self.outage = None;
        if self.paused {
            return;
        }
        if let Some(before) = &self.sample {
            self.rates = Rates::between(before, &sample);
        }
        self.sample = Some(sample);
        self.mark_something();
    }

    /// There was no sample at `unix_ms`, because of `why`.
    pub fn missed(&mut self, unix_ms: f64, why: String) {
        let since = self.outage.as_ref().map(|outage| outage.since_unix_ms);
        self.outage = Some(Outage {
            since_unix_ms: since.unwrap_or(unix_ms),
            why,
        });
    }

    /// The routes that pass the filter, in their order.
    #[must_use]
    pub fn routes(&self) -> Vec<&Route> {
        let routes = self.sample.iter().flat_map(|sample| &sample.routes);
        let wanted = self.filter.to_lowercase();
        let mut routes: Vec<_> = routes
            .filter(|route| route.name.to_lowercase().contains(&wanted))
            .collect();
        routes.sort_by(|a, b| self.order(a, b).then_with(|| a.name.cmp(&b.name)));
        routes
    }

    /// The marked route.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        let routes = self.sample.iter().flat_map(|sample| &sample.routes);
        routes
            .into_iter()
            .find(|route| Some(route.id) == self.selected)
    }

    /// Does what a key asked for.
    pub fn act(&mut self, action: Action) -> Next {
        match action {
            Action::Leave => return Next::Leave,
            Action::Up(lines) => self.go(-i32::from(lines)),
            Action::Down(lines) => self.go(lines.into()),
            Action::Open => self.open(),
            Action::Back => self.back(),
            Action::Sort => self.sort = self.sort.next(),
            Action::Filter => (self.page, self.typing) = (Page::Overview, true),
            Action::Type(c) => self.filter.push(c),
            Action::Erase => {
                self.filter.pop();
            }
            Action::Pause => self.paused = !self.paused,
            Action::Help => {
                self.page = match self.page {
                    Page::Help => Page::Overview,
                    Page::Overview | Page::Route => Page::Help,
                };
            }
            Action::None => {}
        }
        self.mark_something();
        Next::Draw
    }

    fn order(&self, a: &Route, b: &Route) -> Ordering {
        let rate = |route: &Route| self.rates.requests(route.id).unwrap_or(0.0);
        match self.sort {
            Sort::Rate => rate(b)
                .total_cmp(&rate(a))
                .then_with(|| b.requests.cmp(&a.requests)),
            Sort::P99 => b.p99_ms.total_cmp(&a.p99_ms),
            Sort::Stalls => b.stalls.cmp(&a.stalls),
            Sort::Name => Ordering::Equal,
        }
    }

    fn go(&mut self, lines: i32) {
        match self.page {
            Page::Overview => self.mark(lines),
            Page::Route => {
                let scroll = i32::from(self.scroll) + lines;
                self.scroll = u16::try_from(scroll.max(0)).unwrap_or(u16::MAX);
            }
            Page::Help => {}
        }
    }

    /// Marks the route that is so many lines below.
    fn mark(&mut self, lines: i32) {
        let ids: Vec<_> = self.routes().iter().map(|route| route.id).collect();
        let marked = ids.iter().position(|id| Some(*id) == self.selected);
        let distance = isize::try_from(lines).unwrap_or(0);
        let wanted = marked.unwrap_or(0).saturating_add_signed(distance);
        self.selected = ids.get(wanted).or(ids.last()).copied();
    }

    /// Marks the first route where the marked one is not among those that are shown.
    fn mark_something(&mut self) {
        if self.page != Page::Overview {
            return;
        }
        let routes = self.routes();
        if !routes.iter().any(|route| Some(route.id) == self.selected) {
            self.selected = routes.first().map(|route| route.id);
        }
    }

    fn open(&mut self) {
        if self.typing {
            self.typing = false;
        } else if self.page == Page::Overview && self.selected.is_some() {
            (self.page, self.scroll) = (Page::Route, 0);
        }
    }

    /// One step back: out of the filter, to the overview, to all routes.
    fn back(&mut self) {
        match self.page {
            Page::Route | Page::Help => self.page = Page::Overview,
            Page::Overview => {
                self.typing = false;
                self.filter.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests;
