//! The cache: in this process, in Redis, and while Redis is not there.

use std::net::SocketAddr;

use serde_json::Value;

use crate::program::command;
use crate::redis_server::{PASSWORD, RedisServer};
use crate::support::{Service, answer, assert_problem, eventually, get_json, json, leave_out};

const BOTH: [&str; 2] = ["/async/cache", "/sync/cache"];
/// The machine's Redis.
const REDIS: &str = "redis://127.0.0.1:6379/7";

/// The service, with its cache there.
fn caching(url: &str, timeout: &str) -> Service {
    let mut command = command(&["--admin", "127.0.0.1:0"]);
    command.env("REDIS_URL", url).env("REDIS_TIMEOUT", timeout);
    Service::spawn(command)
}

/// Checks that what is put in one way is got in every way.
#[track_caller]
fn check_values(service: &Service, key: &str) {
    for put in BOTH {
        let value = format!("by {put}");
        let (status, body) = service.put(&format!("{put}/{key}"), &value);
        assert_eq!((status, body.as_str()), (204, ""), "{put}");
        for get in ["/async/cache", "/sync/cache", "/bad/cache"] {
            let got = service.get(&format!("{get}/{key}"));
            assert_eq!(got, (200, value.clone()), "{get}");
        }
    }
}

#[track_caller]
fn check_both(service: &Service, status: u16, words: &str) {
    for path in BOTH {
        service.check_problem(&format!("{path}/key"), status, words);
    }
}

#[test]
fn without_a_url_values_are_kept_in_the_process() {
    let service = Service::start(&[]);
    check_both(&service, 404, "the cache has no value for this key");
    check_values(&service, "key");
    check_values(&service, "a%20b%2Fc");
}

#[test]
fn keys_values_and_times_have_bounds() {
    let service = Service::start(&[]);
    let (longest, longer) = ("k".repeat(200), "k".repeat(201));
    let (largest, larger) = ("v".repeat(65_536), "v".repeat(65_537));
    for path in BOTH {
        let check = |target: &str, value: &str, status: u16, words: &str| {
            let (answered, body) = service.put(&format!("{path}/{target}"), value);
            assert_problem(&(answered, json(&body)), status, words);
        };
        assert_eq!(service.put(&format!("{path}/{longest}"), "1").0, 204);
        check(&longer, "1", 422, "at most 200 bytes");
        assert_eq!(service.put(&format!("{path}/key"), &largest).0, 204);
        check("key", &larger, 413, "");
        assert_eq!(service.put(&format!("{path}/key?ttl=604800"), "1").0, 204);
        for ttl in ["0", "604801", "-1", "1.5", "soon", ""] {
            check(&format!("key?ttl={ttl}"), "1", 422, "from 1 to 604800");
        }
    }
}

#[test]
fn values_are_kept_in_redis_for_as_long_as_is_said() {
    let client = redis::Client::open(REDIS).expect("a URL");
    let Ok(mut redis) = client.get_connection() else {
        return leave_out("nothing answers on 127.0.0.1:6379");
    };
    let service = caching(REDIS, "30");
    let key = uuid::Uuid::new_v4().simple().to_string();
    check_values(&service, &key);
    let stored = format!("siding-demo:cache:{key}");
    let mut seconds = || -> u64 {
        redis::cmd("TTL")
            .arg(&stored)
            .query(&mut redis)
            .expect("it")
    };
    assert!((200..=300).contains(&seconds()), "{}", seconds());
    for path in BOTH {
        service.put(&format!("{path}/{key}?ttl=7000"), "2");
        assert!((6_900..=7_000).contains(&seconds()), "{}", seconds());
        service.put(&format!("{path}/{key}?ttl=600"), "2");
        assert!((500..=600).contains(&seconds()), "{}", seconds());
    }
    redis::cmd("DEL")
        .arg(&stored)
        .query::<()>(&mut redis)
        .expect("deletes");
}

/// Requests that are on their way at the same time, so that the pool has a connection for each.
fn at_the_same_time(service: &Service, path: &str) -> Vec<u16> {
    let asked: Vec<_> = (0..8).map(|_| service.ask(path)).collect();
    asked.into_iter().map(|asked| answer(asked).0).collect()
}

#[track_caller]
fn wait_until_nothing_runs(admin: SocketAddr) {
    eventually("no thread of a lane is occupied", || {
        let lanes = get_json(admin, "/api/lanes").1;
        let lanes = lanes["lanes"].as_array().expect("lanes");
        lanes.iter().all(|lane| lane["running"] == 0).then_some(())
    });
}

/// What `/api/resources` says of Redis, once it says this.
#[track_caller]
fn wait_for_health(admin: SocketAddr, status: &str) -> Value {
    eventually(&format!("Redis is {status}"), || {
        let resources = get_json(admin, "/api/resources").1;
        let resources = resources.as_array().expect("a list");
        let redis = resources
            .iter()
            .find(|resource| resource["name"] == "cache (async)");
        let redis = redis.expect("Redis has a check");
        (redis["status"] == status).then(|| redis.clone())
    })
}

#[test]
fn a_redis_that_is_restarted_is_found_again() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let mut service = caching(&redis.url(), "2");
    let admin = service.admin_address();
    for path in BOTH {
        assert_eq!(service.put(&format!("{path}/key"), "1").0, 204);
        assert_eq!(at_the_same_time(&service, &format!("{path}/key")), [200; 8]);
    }
    wait_for_health(admin, "ok");
    redis.stop();
    for path in BOTH {
        service.check_problem(&format!("{path}/key"), 503, "Redis does not answer");
        let line = service.wait_for_log("answered 503");
        assert!(
            line.contains(&format!("Redis at {}", redis.address())),
            "{line}"
        );
        assert!(!line.contains(PASSWORD), "{line}");
    }
    let redis_health = wait_for_health(admin, "failing").to_string();
    assert!(
        redis_health.contains(&redis.address().to_string()),
        "{redis_health}"
    );
    assert!(!redis_health.contains(PASSWORD), "{redis_health}");
    wait_until_nothing_runs(admin);
    redis.start_again();
    for path in BOTH {
        eventually("Redis is found again", || {
            (service.put(&format!("{path}/key"), "2").0 == 204).then_some(())
        });
        assert_eq!(at_the_same_time(&service, &format!("{path}/key")), [200; 8]);
    }
    wait_for_health(admin, "ok");
}

#[test]
fn connections_that_a_restart_has_cost_are_no_error() {
    let Some(mut redis) = RedisServer::start() else {
        return;
    };
    let service = caching(&redis.url(), "30");
    for path in BOTH {
        assert_eq!(service.put(&format!("{path}/key"), "1").0, 204);
        assert_eq!(at_the_same_time(&service, &format!("{path}/key")), [200; 8]);
    }
    redis.stop();
    redis.start_again();
    for path in BOTH {
        assert_eq!(
            at_the_same_time(&service, &format!("{path}/key")),
            [404; 8],
            "{path}"
        );
    }
}

#[test]
fn a_redis_that_says_nothing_is_given_up() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let mut service = caching(&redis.url(), "0.2");
    let admin = service.admin_address();
    redis.freeze();
    check_both(&service, 503, "Redis does not answer");
    for path in BOTH {
        assert_eq!(at_the_same_time(&service, &format!("{path}/key")), [503; 8]);
    }
    wait_for_health(admin, "failing");
    wait_until_nothing_runs(admin);
    redis.thaw();
    for path in BOTH {
        eventually("Redis answers again", || {
            (service.get(&format!("{path}/key")).0 == 404).then_some(())
        });
    }
    wait_for_health(admin, "ok");
}

#[test]
fn a_redis_that_lets_nobody_in_is_said_at_the_start() {
    let Some(redis) = RedisServer::start() else {
        return;
    };
    let data = tempfile::TempDir::new().expect("a place");
    let mut command = command(&["--bind", "127.0.0.1:0", "--admin", "off", "--data"]);
    let url = format!("redis://:secret@{}/0", redis.address());
    let output = command.arg(data.path()).env("REDIS_URL", url).output();
    let output = output.expect("starts");
    let said = String::from_utf8_lossy(&output.stderr);
    let code = Some(i32::from(siding::exit::RESOURCE));
    assert_eq!(output.status.code(), code, "{said}");
    for words in ["cache (async)", &format!("Redis at {}", redis.address())] {
        assert!(said.contains(words), "{said:?} lacks {words:?}");
    }
    assert!(!said.contains("secret"), "{said}");
}
