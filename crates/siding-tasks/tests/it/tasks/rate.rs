//! How many tasks a worker gets done.

use std::time::Instant;

use siding_tasks::Enqueue;

use super::app::App;
use crate::support::PATIENCE;

#[test]
#[ignore = "a measurement: run it by itself, in release"]
fn tasks_per_second() {
    const TASKS: usize = 50_000;
    let app = App::new();
    let nothing = app.tasks.register("nothing", async || ());
    let plain = app.tasks.register("plain", || ());
    for (name, slots) in [
        (nothing.name(), 256),
        (nothing.name(), 1_024),
        (plain.name(), 256),
    ] {
        app.run(async {
            let messages = (0..TASKS)
                .map(|_| siding_tasks::Message::new(name))
                .collect();
            let sending = Instant::now();
            let broker = app.tasks.broker().unwrap();
            broker
                .enqueue(Enqueue {
                    messages,
                    chords: vec![],
                })
                .await
                .unwrap();
            let last = siding_tasks::Message::new(name);
            let id = last.id.clone();
            broker
                .enqueue(Enqueue {
                    messages: vec![last],
                    chords: vec![],
                })
                .await
                .unwrap();
            let sent = sending.elapsed();
            let running = Instant::now();
            let worker = app.start(app.worker().concurrency(slots));
            app.tasks.result::<()>(id).get(PATIENCE).await.unwrap();
            let lasted = running.elapsed();
            worker.stop().await;
            #[expect(clippy::cast_precision_loss, reason = "it is small")]
            let rate = TASKS as f64 / lasted.as_secs_f64();
            println!(
                "{name}, {slots} slots: sent in {sent:?}, done in {lasted:?}: {rate:.0} tasks/s"
            );
        });
    }
}
