//! Resources: `cargo run -p siding --example lifespan`, then `curl localhost:8000/words/3` and `curl localhost:8000/ready`.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::sync::{Arc, Mutex};

use siding::extract::{Path, State};
use siding::lifespan::{Lifespan, ResourceError};
use siding::{App, ExitCode, Problem, StatusCode, get};

/// What the handlers use.
#[derive(Clone)]
struct Resources {
    words: Arc<[String]>,
    journal: Arc<Mutex<File>>,
}

/// Opens it, in order. A plain function may block; an `async` one would be awaited.
async fn open(lifespan: Lifespan) -> Result<Resources, ResourceError> {
    let words = lifespan.open("words", read_words).await?;
    let journal = lifespan
        .open("journal", open_journal)
        .check(|journal: Arc<Mutex<File>>| write(&journal, "checked"))
        .close(|journal: Arc<Mutex<File>>| write(&journal, "closed"))
        .await?;
    Ok(Resources { words, journal })
}

fn read_words() -> io::Result<Arc<[String]>> {
    let file = BufReader::new(File::open("/etc/services")?);
    file.lines().collect()
}

fn open_journal() -> io::Result<Arc<Mutex<File>>> {
    let file = File::create(std::env::temp_dir().join("siding-journal.txt"))?;
    Ok(Arc::new(Mutex::new(file)))
}

fn write(journal: &Mutex<File>, what: &str) -> io::Result<()> {
    let mut file = journal.lock().map_err(|_| io::Error::other("a panic"))?;
    writeln!(file, "{what}")
}

fn word(State(resources): State<Resources>, Path(n): Path<usize>) -> Result<String, Problem> {
    let word = resources.words.get(n).cloned();
    let word = word.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND))?;
    write(&resources.journal, &word).map_err(|error| Problem::internal(&error))?;
    Ok(word)
}

fn main() -> ExitCode {
    App::new("words")
        .route("/words/{n}", get(word))
        .with_lifespan(open)
        .with_health_routes()
        .run()
}
