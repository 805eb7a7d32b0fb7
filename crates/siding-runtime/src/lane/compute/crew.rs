//! The threads of the compute lane.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::lane::ThreadHook;
use crate::lane::desk::quietly;
use crate::priority;

/// The handles of the pool's threads, so that shutting down can wait for their end; rayon itself does not.
#[derive(Debug)]
pub(super) struct Crew {
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Crew {
    /// Starts a rayon pool whose threads belong to the compute lane.
    pub(super) fn start(
        threads: usize,
        on_thread_start: ThreadHook,
    ) -> io::Result<(ThreadPool, Self)> {
        let mut handles = Vec::with_capacity(threads);
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .start_handler(move |_| {
                priority::give_way();
                quietly(&on_thread_start);
            })
            .spawn_handler(|thread| {
                let name = format!("siding-compute-{}", thread.index());
                handles.push(thread::Builder::new().name(name).spawn(|| thread.run())?);
                Ok(())
            })
            .build()
            .map_err(io::Error::other)?;
        let handles = Mutex::new(handles);
        Ok((pool, Self { handles }))
    }

    /// Waits for the end of every thread. The pool must have been dropped.
    pub(super) fn join(&self) {
        let handles =
            std::mem::take(&mut *self.handles.lock().unwrap_or_else(PoisonError::into_inner));
        for handle in handles {
            drop(handle.join());
        }
    }
}
