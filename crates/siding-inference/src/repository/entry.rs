//! One model of the repository, and its versions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layout::Layout;
use crate::served::Served;

/// One model.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) layout: Layout,
    pub(super) versions: BTreeMap<u64, Version>,
    /// Why there are no versions; empty when there are.
    pub(super) reason: String,
}

#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) served: Option<Arc<Served>>,
    pub(super) reason: String,
}

impl Entry {
    pub(super) fn retire(&self) {
        let served = self
            .versions
            .values()
            .filter_map(|version| version.served.as_ref());
        served.for_each(|served| served.retire());
    }

    /// What has no place in `after` takes no more requests.
    pub(super) fn retire_all_but(&self, after: &Self) {
        for (number, version) in &self.versions {
            let (Some(old), new) = (&version.served, after.versions.get(number)) else {
                continue;
            };
            let stays = new
                .and_then(|new| new.served.as_ref())
                .is_some_and(|new| Arc::ptr_eq(old, new));
            if !stays {
                old.retire();
            }
        }
    }

    /// Why none of its versions is served, or why one that is is not what lies there.
    pub(super) fn failure(&self) -> Option<String> {
        if self.versions.is_empty() {
            return Some(self.reason.clone());
        }
        let reasons = self.versions.values().map(|version| &version.reason);
        reasons.clone().find(|reason| !reason.is_empty()).cloned()
    }
}
