//! A call with arguments of other types than the task's.

use siding_tasks::Tasks;

fn main() {
    let tasks = Tasks::new();
    let add = tasks.register("add", |x: i64, y: i64| x + y);
    let _ = add.delay((1, "2"));
}
