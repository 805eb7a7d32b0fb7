//! Revoking tasks, and ending those that run.

use std::collections::BTreeMap;

use super::{Answer, Arguments, Panel, ok};
use crate::broker::Revocation;
use crate::message::{RawJson, TaskId};
use crate::worker::{stamps, texts};

pub(super) fn revoke(panel: &Panel, arguments: &Arguments) -> Answer {
    let ids = arguments.texts("task_id")?;
    match arguments.flag("terminate") {
        true => end(panel, &ids),
        false => {
            remember(panel, &ids);
            let wanted = |id: &TaskId| ids.iter().any(|wanted| wanted == id.as_str());
            panel
                .crew
                .held
                .revoke_all(Revocation::Ignore, |message| wanted(&message.id));
            let ids: Vec<_> = ids.iter().map(|id| format!("'{id}'")).collect();
            ok(&format!("tasks {{{}}} flagged as revoked", ids.join(", ")))
        }
    }
}

/// Whatever the signal, a task is ended as far as its lane can.
pub(super) fn terminate(panel: &Panel, arguments: &Arguments) -> Answer {
    end(panel, &arguments.texts("task_id")?)
}

fn end(panel: &Panel, ids: &[String]) -> Answer {
    remember(panel, ids);
    let ended = panel
        .crew
        .held
        .revoke_all(Revocation::Terminate, |message| {
            ids.iter().any(|id| id == message.id.as_str())
        });
    if ended.is_empty() {
        return ok("terminate: tasks unknown");
    }
    let ended: Vec<_> = ended.iter().map(TaskId::as_str).collect();
    ok(&format!("terminate: {}", ended.join(", ")))
}

/// Those that come later are not run, either.
fn remember(panel: &Panel, ids: &[String]) {
    tracing::info!(?ids, "tasks were revoked by remote control");
    for id in ids {
        panel.crew.revoked.add(TaskId::from(id.as_str()));
    }
}

pub(super) fn by_stamped_headers(panel: &Panel, arguments: &Arguments) -> Answer {
    let wanted = wanted(arguments)?;
    tracing::info!(stamps = ?wanted, "tasks were revoked by remote control");
    for (header, stamp) in &wanted {
        panel.crew.revoked.add_stamp(header.clone(), stamp.clone());
    }
    let terminate = arguments.flag("terminate");
    let revocation = match terminate {
        true => Revocation::Terminate,
        false => Revocation::Ignore,
    };
    let ended = panel.crew.held.revoke_all(revocation, |message| {
        stamps(message).iter().any(|stamp| wanted.contains(stamp))
    });
    let wanted: Vec<_> = wanted
        .iter()
        .map(|(header, stamp)| format!("{header}={stamp}"))
        .collect();
    let wanted = wanted.join(", ");
    ok(&match (terminate, ended.is_empty()) {
        (false, _) => format!("headers {wanted} flagged as revoked, but not terminated"),
        (true, true) => format!("headers {wanted} were not terminated"),
        (true, false) => format!("headers {wanted} revoked"),
    })
}

/// Headers with one or more stamps each, or a list of `header=stamp`.
fn wanted(arguments: &Arguments) -> Result<Vec<(String, String)>, String> {
    if let Ok(pairs) = arguments.required::<Vec<String>>("headers") {
        let pair = |pair: String| {
            let (header, stamp) = pair
                .split_once('=')
                .ok_or_else(|| format!("a header is given as `name=stamp`, not {pair:?}"))?;
            Ok((header.to_owned(), stamp.to_owned()))
        };
        return pairs.into_iter().map(pair).collect();
    }
    let headers: BTreeMap<String, RawJson> = arguments.required("headers")?;
    let each = |(header, values): (String, RawJson)| {
        let values = texts(&values).into_iter();
        values
            .map(move |stamp| (header.clone(), stamp))
            .collect::<Vec<_>>()
    };
    Ok(headers.into_iter().flat_map(each).collect())
}
