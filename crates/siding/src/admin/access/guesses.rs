//! Tokens that are being judged, so that guessing is slow.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many tokens of one address are judged at a time; further ones are refused unheard. A wrong one takes a second, so that an address
/// can try eight a second, while a right one takes no time. Who guesses keeps nobody out but those who share the address, and of them
/// only who has no session yet.
const HEARD_MAX: usize = 8;

/// How many tokens of each address are being judged. There are no more entries than connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Guesses(Arc<Mutex<HashMap<Option<IpAddr>, usize>>>);

/// A token that is being judged.
#[derive(Debug)]
pub(super) struct Heard {
    guesses: Guesses,
    from: Option<IpAddr>,
}

impl Guesses {
    /// Begins to judge a token that came `from` an address; `None` while it has too many there.
    pub(super) fn hear(&self, from: Option<IpAddr>) -> Option<Heard> {
        let mut counts = self.lock();
        let heard = counts.entry(from).or_default();
        if *heard == HEARD_MAX {
            return None;
        }
        *heard += 1;
        drop(counts);
        Some(Heard {
            guesses: self.clone(),
            from,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Option<IpAddr>, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Heard {
    fn drop(&mut self) {
        let mut counts = self.guesses.lock();
        if let Some(heard) = counts.get_mut(&self.from) {
            *heard -= 1;
            if *heard == 0 {
                counts.remove(&self.from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn an_address_that_guesses_is_heard_so_often_and_keeps_no_other_out() {
        let (guesses, here) = (Guesses::default(), Some(Ipv4Addr::LOCALHOST.into()));
        let mut heard: Vec<_> = std::iter::repeat_with(|| guesses.hear(here))
            .take(HEARD_MAX)
            .collect();
        assert!(heard.iter().all(Option::is_some));
        assert!(guesses.hear(here).is_none());
        assert!(guesses.hear(Some(Ipv4Addr::UNSPECIFIED.into())).is_some());
        heard.pop();
        assert!(guesses.hear(here).is_some());
        drop(heard);
        assert!(guesses.lock().is_empty());
    }
}
