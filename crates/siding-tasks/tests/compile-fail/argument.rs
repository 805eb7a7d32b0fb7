//! An argument that serde cannot read.

use siding_tasks::Tasks;

struct Image;

async fn resize(_: Image, _width: u32) {}

fn main() {
    let _ = Tasks::new().register("resize", resize);
}
