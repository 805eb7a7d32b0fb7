//! Tensors of several requests as those of one, and back.

use bytes::BytesMut;

use crate::protocol::{Datatype, Tensor};

/// Whether two requests' inputs differ in nothing but their rows.
pub(super) fn fit_together(one: &[Tensor], other: &[Tensor]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| {
            let (dims, others) = (one.shape().dims(), other.shape().dims());
            one.datatype() == other.datatype() && dims.get(1..) == others.get(1..)
        })
}

/// One request's inputs out of several's, whose rows come one after the other.
pub(crate) fn join(requests: &[&[Tensor]]) -> Vec<Tensor> {
    let Some((first, [_, ..])) = requests.split_first() else {
        return requests.concat();
    };
    let inputs = first.iter().enumerate().map(|(index, tensor)| {
        let parts = requests.iter().map(|request| &request[index]);
        let rows = parts.clone().filter_map(|part| part.shape().rows()).sum();
        let mut data = BytesMut::with_capacity(parts.clone().map(|part| part.data().len()).sum());
        parts.for_each(|part| data.extend_from_slice(part.data()));
        let shape = tensor.shape().with_rows(rows);
        Tensor::new(tensor.name(), tensor.datatype(), shape, data.freeze())
            .expect("tensors that fit are as long as their shapes say, together too")
    });
    inputs.collect()
}

/// Each request's part of the outputs; `None` when an output does not have a row for each row that went in.
pub(crate) fn split(outputs: &[Tensor], rows: &[usize]) -> Option<Vec<Vec<Tensor>>> {
    let all: usize = rows.iter().sum();
    let mut requests: Vec<Vec<Tensor>> = rows
        .iter()
        .map(|_| Vec::with_capacity(outputs.len()))
        .collect();
    for output in outputs {
        if output.shape().rows() != Some(all) {
            return None;
        }
        let mut rest = output.data().clone();
        for (request, rows) in requests.iter_mut().zip(rows) {
            let shape = output.shape().with_rows(*rows);
            let length = match output.datatype() {
                Datatype::Bytes => strings_length(&rest, shape.elements()),
                datatype => shape.elements() * datatype.size()?,
            };
            let data = rest.split_to(length);
            request.push(Tensor::new(output.name(), output.datatype(), shape, data).ok()?);
        }
    }
    Some(requests)
}

/// The bytes of the first `count` strings of checked data.
fn strings_length(data: &[u8], count: usize) -> usize {
    let mut at = 0;
    for _ in 0..count {
        let Some(length) = data.get(at..).and_then(<[u8]>::first_chunk::<4>) else {
            break;
        };
        at += 4 + usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX - 4 - at);
    }
    at
}
