//! Workers of both kinds beside each other.

use serde_json::json;

use super::{EVERYWHERE, beside_a_worker};

#[test]
fn a_python_worker_that_starts_greets_ours() {
    for (over, version) in EVERYWHERE {
        beside_a_worker(
            over,
            version,
            |worker| worker,
            async |fleet, mut commander| {
                commander.asked(&["control", "revoke", "abc"]).await;
                let mut python = fleet
                    .sociable_python_worker(&[
                        "--loglevel=DEBUG",
                        "-P",
                        "solo",
                        "-n",
                        "python@test",
                    ])
                    .await;
                python.says("rust@test joined the party").await;
                let script = r#"
                inspect = app.control.inspect(timeout=10, destination=["python@test"])
                out = inspect.revoked()["python@test"]
            "#;
                assert_eq!(commander.0.run(script).await, json!(["abc"]));
                let log = python.log();
                assert!(log.contains("mingle: sync complete"), "{log}");
                for bad in [": WARNING/", ": ERROR/", ": CRITICAL/", "Traceback"] {
                    assert!(!log.contains(bad), "{log}");
                }
            },
        );
    }
}
