//! The service that a port usually means.

/// Names the service behind a well-known port: a guess, shown beside the address and never instead of it.
pub(super) const fn service(port: u16) -> Option<&'static str> {
    Some(match port {
        21 => "FTP",
        22 => "SSH",
        25 | 465 | 587 => "SMTP",
        53 | 853 => "DNS",
        80 | 8000 | 8080 => "HTTP",
        110 | 995 => "POP3",
        123 => "NTP",
        143 | 993 => "IMAP",
        389 | 636 => "LDAP",
        443 | 8443 => "HTTPS",
        445 => "SMB",
        514 => "syslog",
        1433 => "SQL Server",
        1521 => "Oracle",
        1883 | 8883 => "MQTT",
        2049 => "NFS",
        2181 => "ZooKeeper",
        2379 | 2380 => "etcd",
        3306 => "MySQL or MariaDB",
        4222 => "NATS",
        4317 | 4318 => "OpenTelemetry",
        5432 => "PostgreSQL",
        6432 => "PgBouncer",
        5671 | 5672 => "RabbitMQ (AMQP)",
        6379 | 6380 => "Redis",
        6650 => "Pulsar",
        8086 => "InfluxDB",
        8123 | 9000 => "ClickHouse",
        8125 => "StatsD",
        8200 => "Vault",
        8500 => "Consul",
        9042 => "Cassandra",
        9090 => "Prometheus",
        9092 => "Kafka",
        9200 | 9300 => "Elasticsearch",
        11211 => "memcached",
        19530 => "Milvus",
        26257 => "CockroachDB",
        27017 => "MongoDB",
        50051 => "gRPC",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::service;

    #[test]
    fn names_the_usual_ports_only() {
        assert_eq!(service(5432), Some("PostgreSQL"));
        assert_eq!(service(53), Some("DNS"));
        assert_eq!(service(49_152), None);
    }
}
