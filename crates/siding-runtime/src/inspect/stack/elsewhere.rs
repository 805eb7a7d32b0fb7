//! A stand-in for platforms whose registers or unwind tables are not known here.

use std::time::Duration;

use super::super::activity::Syscall;
use super::super::{Tid, Unknown};
use super::{RawStack, StackBounds, Walked};

/// A sampler that cannot be installed, and so never asked for a stack.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sampler {}

impl Sampler {
    pub(crate) fn install() -> Result<Self, Unknown> {
        Err(Unknown::because(
            "stacks are taken on Linux on x86_64 and aarch64 only",
        ))
    }

    pub(crate) fn refresh(self) {
        match self {}
    }

    pub(crate) fn capture(self, _: Tid, _: StackBounds, _: Duration) -> Result<RawStack, Unknown> {
        match self {}
    }

    pub(crate) fn walk_blocked(self, _: StackBounds, _: &Syscall) -> Result<Walked, Unknown> {
        match self {}
    }
}

/// The program's file, which is not read.
#[derive(Debug)]
pub(super) enum Image {}

pub(super) fn image() -> Option<Image> {
    None
}

/// Names that nobody needs, as there are no stacks.
#[derive(Debug)]
pub(super) struct Functions<'i> {
    image: &'i Image,
}

impl<'i> Functions<'i> {
    pub(super) fn read(image: &'i Image) -> Option<Self> {
        match *image {}
    }

    pub(super) fn name_at(&self, _address: usize) -> Option<String> {
        match *self.image {}
    }
}
