//! From a signature to the messages that are sent now.

use std::collections::BTreeMap;

use super::head::{freeze, head, name_unless_named, size};
use super::options::Member;
use super::{CanvasError, Shape};
use crate::broker::Enqueue;
use crate::message::{Message, RawJson, Signature, TaskId, Timestamp};

/// Headers that children inherit.
const INHERITED: [&str; 5] = [
    "stamps",
    "stamped_headers",
    "traceparent",
    "tracestate",
    "baggage",
];

/// Where messages come from, and when.
#[derive(Clone, Debug)]
pub(crate) struct Family {
    pub(crate) root: Option<TaskId>,
    pub(crate) parent: Option<TaskId>,
    pub(crate) origin: Option<String>,
    pub(crate) headers: BTreeMap<String, RawJson>,
    pub(crate) now: Timestamp,
}

impl Family {
    /// Nobody's child.
    pub(crate) fn none(now: Timestamp) -> Self {
        Self {
            root: None,
            parent: None,
            origin: None,
            headers: BTreeMap::new(),
            now,
        }
    }

    /// A child of `message`.
    pub(crate) fn child_of(message: &Message, now: Timestamp) -> Self {
        let inherited = message
            .headers
            .iter()
            .filter(|(name, _)| INHERITED.contains(&name.as_str()));
        Self {
            root: Some(message.root_id.as_ref().unwrap_or(&message.id).clone()),
            parent: Some(message.id.clone()),
            origin: message.origin.clone(),
            headers: inherited
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            now,
        }
    }
}

/// Adds to `out` what `signature` sends first, with `args` before its own.
pub(crate) fn expand(
    signature: Signature,
    args: &[RawJson],
    family: &Family,
    out: &mut Enqueue,
) -> Result<(), CanvasError> {
    let Some(mut signature) = head(signature)? else {
        return Ok(());
    };
    signature.prepend(args);
    match Shape::of(&signature)? {
        Shape::Task => out.messages.push(message(signature, family)?),
        Shape::Group(tasks) => expand_group(signature, tasks, family, out)?,
        Shape::Chord {
            header,
            group,
            body,
        } => expand_chord(signature, (header, group, body), family, out)?,
        Shape::Chain(_) => unreachable!("a head is no chain"),
    }
    Ok(())
}

fn expand_group(
    mut group: Signature,
    tasks: Vec<Signature>,
    family: &Family,
    out: &mut Enqueue,
) -> Result<(), CanvasError> {
    let member = match group.take_member()? {
        Some(member) => member,
        None => Member {
            group: group
                .options
                .task_id
                .clone()
                .unwrap_or_else(TaskId::new)
                .to_string(),
            index: 0,
            chord: None,
        },
    };
    expand_members(&group, tasks, &member, family, out)
}

fn expand_members(
    whole: &Signature,
    tasks: Vec<Signature>,
    first: &Member,
    family: &Family,
    out: &mut Enqueue,
) -> Result<(), CanvasError> {
    let errbacks = match whole.subtask_type.as_deref() {
        Some("group") => whole.list("link_error")?,
        _ => Vec::new(),
    };
    let mut member = first.clone();
    for mut task in tasks {
        let size = size(&task)?;
        if size == 0 {
            continue;
        }
        task.go_with(whole);
        for name in ["countdown", "eta", "expires", "priority"] {
            if let Some(value) = whole.options.others.get(name) {
                let own = task.options.others.entry(name.to_owned());
                own.or_insert_with(|| value.clone());
            }
        }
        task.extend("link_error", &errbacks)?;
        task.join(&member)?;
        expand(task, &whole.args, family, out)?;
        member.index += size;
    }
    Ok(())
}

type Parts = (Vec<Signature>, Option<TaskId>, Signature);

fn expand_chord(
    mut chord: Signature,
    (header, group, mut body): Parts,
    family: &Family,
    out: &mut Enqueue,
) -> Result<(), CanvasError> {
    body.set_rest(&[chord.rest()?, body.rest()?].concat());
    if let Some(member) = chord.take_member()? {
        body.join(&member)?;
    }
    let callbacks = chord.list("link")?;
    if !callbacks.is_empty() {
        let shape = Shape::Chain(vec![body]);
        body = shape.sign(crate::message::SignatureOptions::default());
        body.extend("link", &callbacks)?;
    }
    body.extend("link_error", &chord.list("link_error")?)?;
    if let Some(id) = chord.options.task_id.take() {
        name_unless_named(&mut body, id)?;
    }
    let Some(mut body) = head(body)? else {
        let group = Shape::Group(header).sign(chord.options);
        return expand(group, &chord.args, family, out);
    };
    freeze(&mut body)?;
    let mut parts = 0;
    for task in &header {
        parts += size(task)?;
    }
    if parts == 0 {
        return expand(body, &[super::shape::json(&[(); 0])], family, out);
    }
    let group = group.unwrap_or_else(TaskId::new).to_string();
    out.chords.push((group.clone(), parts));
    let member = Member {
        group,
        index: 0,
        chord: Some(body),
    };
    expand_members(&chord, header, &member, family, out)
}

fn message(signature: Signature, family: &Family) -> Result<Message, CanvasError> {
    let mut message = Message::new(&*signature.task);
    if let Some(id) = &signature.options.task_id {
        message.id = id.clone();
    }
    message.root_id.clone_from(&family.root);
    message.parent_id.clone_from(&family.parent);
    message.origin.clone_from(&family.origin);
    message.headers.clone_from(&family.headers);
    signature.apply_to(&mut message, family.now)?;
    message.root_id.get_or_insert_with(|| message.id.clone());
    message.embed.callbacks = signature.list("link")?;
    message.embed.errbacks = signature.list("link_error")?;
    message.embed.chain = signature.rest()?;
    if let Some(member) = signature.member()? {
        message.group = Some(member.group);
        message.group_index = Some(member.index);
        message.embed.chord = member.chord;
    }
    message.args = signature.args;
    message.kwargs = signature.kwargs;
    Ok(message)
}
