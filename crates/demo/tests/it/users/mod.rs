//! Users, on every database, by the async client and by the blocking one.

mod database;
mod endpoints;
mod outages;
mod stalls;
mod starts;

/// Runs each of these functions as a test on a database of its own of each kind.
macro_rules! on_each_database {
    ($($test:ident)*) => {
        $crate::users::on_each_database! { @ sqlite $($test)* }
        $crate::users::on_each_server! { $($test)* }
    };
    (@ $kind:ident $($test:ident)*) => {
        mod $kind {
            $(
                #[test]
                fn $test() {
                    if let Some(database) = crate::users::database::Database::$kind() {
                        super::$test(&database);
                    }
                }
            )*
        }
    };
}
use on_each_database;

/// The same without SQLite, which has no server.
macro_rules! on_each_server {
    ($($test:ident)*) => {
        $crate::users::on_each_database! { @ postgres $($test)* }
        $crate::users::on_each_database! { @ mariadb $($test)* }
    };
}
use on_each_server;
