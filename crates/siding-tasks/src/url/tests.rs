use super::*;

#[track_caller]
fn broker(text: &str, shown: &str) -> BrokerUrl {
    let url: BrokerUrl = text.parse().expect(text);
    assert_eq!(url.to_string(), shown);
    url
}

#[track_caller]
fn redis(text: &str, shown: &str) -> RedisUrl {
    match broker(text, shown) {
        BrokerUrl::Redis(url) => url,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn amqp(text: &str, shown: &str) -> AmqpUrl {
    match broker(text, shown) {
        BrokerUrl::Amqp(url) => url,
        other => panic!("{other:?}"),
    }
}

fn password(password: Option<&Secret>) -> Option<&str> {
    password.map(Secret::reveal)
}

#[test]
fn redis_has_the_defaults_of_celery() {
    let all_alike = [
        "redis://",
        "redis://localhost",
        "redis:///0",
        "redis://localhost/",
        "redis://localhost//",
        "REDIS://localhost:6379/0",
        " redis://localhost:/?virtual_host=0\n",
    ];
    for text in all_alike {
        let url = redis(text, "redis://localhost:6379/0");
        assert_eq!((url.user, url.password), (None, None), "{text}");
    }
}

#[test]
fn redis_has_users_passwords_ports_and_databases() {
    let url = redis(
        "redis://app:p%40ss%2F%3A@cache:6380/12",
        "redis://app:**@cache:6380/12",
    );
    assert_eq!(url.user.as_deref(), Some("app"));
    assert_eq!(password(url.password.as_ref()), Some("p@ss/:"));
    assert_eq!(url.database, 12);

    let url = redis("redis://:a@b:c@[::1]:7/1", "redis://:**@[::1]:7/1");
    assert_eq!(password(url.password.as_ref()), Some("a@b:c"));
    let url = redis("redis://:only@/3", "redis://:**@localhost:6379/3");
    assert_eq!(password(url.password.as_ref()), Some("only"));
    redis("redis://:7000/3", "redis://localhost:7000/3");
}

#[test]
fn redis_has_tls_and_sockets() {
    let url = redis(
        "rediss://cache?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs=%2Fetc%2Fca.pem",
        "rediss://cache:6379/0",
    );
    let RedisServer::Tcp {
        tls: Tls::On(files),
        ..
    } = url.server
    else {
        panic!("no TLS");
    };
    assert_eq!(files.ca_certs, Some("/etc/ca.pem".into()));

    let url = redis(
        "redis+socket://:word@/run/redis.sock?virtual_host=4",
        "redis+socket://:**@/run/redis.sock?virtual_host=4",
    );
    assert_eq!(url.database, 4);
    assert_eq!(
        url.server,
        RedisServer::Socket {
            path: "/run/redis.sock".into()
        }
    );
}

#[test]
fn amqp_has_the_defaults_of_celery() {
    for text in [
        "amqp://",
        "pyamqp://",
        "amqp://guest@localhost",
        "amqp://guest:guest@localhost:5672//",
        "amqp:///%2F",
    ] {
        let url = amqp(text, "amqp://guest:**@localhost:5672//");
        assert_eq!(
            (url.user.as_str(), url.password.reveal()),
            ("guest", "guest")
        );
        assert_eq!(url.virtual_host, "/", "{text}");
    }
    amqp("amqps://rabbit", "amqps://guest:**@rabbit:5671//");
}

#[test]
fn virtual_hosts_are_percent_encoded() {
    for (text, virtual_host) in [
        ("amqp://h/jobs", "jobs"),
        ("amqp://h//jobs", "/jobs"),
        ("amqp://h/%2Fjobs%20a", "/jobs a"),
        ("amqp://h/a/b?heartbeat=2.5", "a/b"),
    ] {
        let Ok(BrokerUrl::Amqp(url)) = text.parse() else {
            panic!("{text}");
        };
        assert_eq!(url.virtual_host, virtual_host, "{text}");
    }
    let url = amqp(
        "amqp://a:b@h/x%20y?heartbeat=2.5",
        "amqp://a:**@h:5672/x%20y",
    );
    assert_eq!(url.heartbeat, Some(std::time::Duration::from_millis(2_500)));
}

#[test]
fn results_go_to_redis_back_to_the_client_or_nowhere() {
    for (text, shown) in [
        ("redis://:word@h/2", "redis://:**@h:6379/2"),
        ("rpc://", "rpc://"),
        ("rpc", "rpc://"),
        ("disabled", "disabled"),
        ("disabled://", "disabled"),
        (
            "socket:///run/r?virtual_host=1",
            "redis+socket:///run/r?virtual_host=1",
        ),
    ] {
        let url: BackendUrl = text.parse().expect(text);
        assert_eq!(url.to_string(), shown);
    }
    let error = "db+postgresql://u:hush@h/x".parse::<BackendUrl>();
    check_error(&error.expect_err("none of ours"), "no result backend");
}

#[test]
fn a_refusal_says_what_would_be_right_and_no_password() {
    for (text, part) in [
        ("", "it is no URL"),
        ("localhost:6379", "it is no URL"),
        ("hush://x", "is no broker"),
        ("sqs://:hush@h", "sqs:// is no broker"),
        ("redis://:hush@h:port/0", "its port is no number"),
        ("redis://:hush@h:0/0", "its port is no number"),
        ("redis://:hu/sh@h/0", "write / as %2F"),
        ("redis://:1?hush@h/0", "write / as %2F"),
        ("redis://:1#hush@h/0", "# as %23"),
        ("redis://:hush/0", "its port is no number"),
        ("redis://:hush@h/hush", "number of a Redis database"),
        ("redis://:hush@h/0?Hush1=2", "no such parameter"),
        ("redis://:hush@h/0?timeout=2", "no parameter timeout"),
        ("redis://:hush@h/0?ssl_cert_reqs=none", "write rediss://"),
        ("rediss://:hush@h?ssl_cert_reqs=none", "=required"),
        ("rediss://:hush@h?ssl_certfile=a", "give both"),
        ("redis://:hush@[::1/0", "has no ]"),
        ("redis://:%ffhush@h", "no UTF-8"),
        ("redis+socket://run/x", "whole path"),
        ("amqp://a:hush@h;amqp://b:hush@i", "several servers"),
        ("amqp://a:hush@h/?heartbeat=hush", "number of seconds"),
        ("amqp://a:hush@h/?ssl_cert_reqs=x", "write amqps://"),
    ] {
        let error = text.parse::<BrokerUrl>().expect_err(text);
        let named = text.starts_with("hush");
        check_error(&error, part);
        assert!(named || !error.to_string().contains("hush"), "{error}");
    }
}

#[test]
fn a_refusal_of_sentinels_says_what_would_be_right_and_no_password() {
    for (text, part) in [
        ("sentinel://:hush@h", "which master"),
        ("sentinel://:hush@h?master_name=", "which master"),
        (
            "sentinel://:hush@h?Hush=1&master_name=m",
            "no such parameter",
        ),
        (
            "sentinel://:hush@h?timeout=1&master_name=m",
            "no parameter timeout",
        ),
        ("sentinel://:hush@a:1,b:2/0?master_name=m", "a comma"),
        ("sentinel://:hush@a;b/0?master_name=m", "no scheme"),
        ("sentinel://:hush@a;redis://b?master_name=m", "no scheme"),
        (
            "sentinel://:1;hush@a?master_name=m",
            "; in a password as %3B",
        ),
        (
            "sentinel://:hush@a;sentinel://:hush2@b?master_name=m",
            "differ in user",
        ),
        (
            "sentinel://a;sentinel://:hush@b?master_name=m",
            "differ in user",
        ),
        (
            "sentinel://a;sentinel://b/3?master_name=m",
            "differ in the database",
        ),
        (
            "sentinel://a/hush?master_name=m",
            "number of a Redis database",
        ),
        (
            "sentinel://a?master_name=m;sentinel://b?master_name=hush",
            "twice",
        ),
        (
            "sentinel://:hush@h:port?master_name=m",
            "its port is no number",
        ),
        (
            "sentinel://a?master_name=m&ssl_cert_reqs=none",
            " ssl_cert_reqs=required",
        ),
        (
            "sentinel://a?master_name=m&sentinel_ssl_cert_reqs=none",
            "sentinel_ssl_ca_certs=FILE",
        ),
        (
            "sentinel://a?master_name=m&sentinel_ssl_keyfile=hush",
            "give both",
        ),
    ] {
        let error = text.parse::<BrokerUrl>().expect_err(text);
        check_error(&error, part);
        assert!(!error.to_string().contains("hush"), "{error}");
        assert_eq!(text.parse::<BackendUrl>(), Err(error));
    }
}

#[test]
fn sentinels_have_a_master_and_passwords_of_their_own() {
    let shown = "sentinel://app:**@a:26379/3;sentinel://app:**@[::1]:7/3?master_name=my%20master";
    for text in [
        "sentinel://app:w%3Bd@a/3;sentinel://app:w%3Bd@[::1]:7/3?master_name=my%20master&sentinel_password=g%26d",
        " SENTINEL://app:w%3Bd@a:26379/3?sentinel_password=g%26d ; sentinel://[::1]:7?master_name=my+master;\n",
        "sentinel://app:w%3Bd@a/3?master_name=my+master&sentinel_password=g%26d;sentinel://[::1]:7/3?master_name=my+master",
    ] {
        let url = redis(text, shown);
        assert_eq!(password(url.password.as_ref()), Some("w;d"), "{text}");
        assert_eq!((url.user.as_deref(), url.database), (Some("app"), 3));
        let RedisServer::Sentinels(sentinels) = url.server else {
            panic!("{text}");
        };
        assert_eq!(sentinels.master_name, "my master");
        assert_eq!(sentinels.user, None);
        assert_eq!(password(sentinels.password.as_ref()), Some("g&d"));
        assert_eq!((sentinels.tls, sentinels.master_tls), (Tls::Off, Tls::Off));
    }
    let url: BackendUrl = "sentinel://?master_name=m".parse().unwrap();
    assert_eq!(
        url.to_string(),
        "sentinel://localhost:26379/0?master_name=m"
    );
}

#[test]
fn sentinels_and_their_master_have_tls_each() {
    let text = "sentinel://a?master_name=m&sentinel_username=eye&ssl_ca_certs=/ca&sentinel_ssl_certfile=/c&sentinel_ssl_keyfile=/k";
    let url = redis(text, "sentinel://a:26379/0?master_name=m");
    let RedisServer::Sentinels(sentinels) = url.server else {
        panic!("{text}");
    };
    assert_eq!(sentinels.user.as_deref(), Some("eye"));
    let of_master = TlsFiles {
        ca_certs: Some("/ca".into()),
        ..TlsFiles::default()
    };
    assert_eq!(sentinels.master_tls, Tls::On(of_master));
    let of_sentinels = TlsFiles {
        certfile: Some("/c".into()),
        keyfile: Some("/k".into()),
        ca_certs: None,
    };
    assert_eq!(sentinels.tls, Tls::On(of_sentinels));
}

#[test]
fn no_debug_output_has_a_password() {
    for text in [
        "redis://u:hush@h/0",
        "amqp://u:hush@h//",
        "sentinel://:hush@h?master_name=m&sentinel_password=hush",
    ] {
        let url: BrokerUrl = text.parse().expect(text);
        assert!(!format!("{url:?} {url:#?} {url}").contains("hush"));
    }
}

#[track_caller]
fn check_error(error: &UrlError, part: &str) {
    let text = error.to_string();
    assert!(text.contains(part), "{part} is not in: {text}");
    assert!(
        ["write", "give", "name", "encode", "needs", "it has"]
            .iter()
            .any(|word| text.contains(word)),
        "it does not say what would be right: {text}"
    );
}
