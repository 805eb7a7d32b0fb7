//! [`StackBounds`]: where a thread's stack lies.
#![cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "pthread_getattr_np has no safe wrapper")
)]

use super::super::Unknown;

/// The addresses of one thread's stack, from the lowest to just above the highest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StackBounds {
    pub(super) low: usize,
    pub(super) high: usize,
}

impl StackBounds {
    pub(super) fn contains(self, address: usize) -> bool {
        (self.low..self.high).contains(&address)
    }

    /// The calling thread's stack. For the main thread this reads `/proc/self/maps`; a thread asks once and keeps
    /// the answer.
    #[cfg(target_os = "linux")]
    pub(crate) fn current() -> Result<Self, Unknown> {
        Attributes::current()?.stack()
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn current() -> Result<Self, Unknown> {
        Err(Unknown::because("stacks are taken on Linux only"))
    }
}

/// A thread's attributes, released on drop.
#[cfg(target_os = "linux")]
struct Attributes(libc::pthread_attr_t);

#[cfg(target_os = "linux")]
impl Attributes {
    fn current() -> Result<Self, Unknown> {
        let mut attributes = std::mem::MaybeUninit::uninit();
        // SAFETY: the call initialises the attributes or fails; the handle is the calling thread's own.
        let error =
            unsafe { libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) };
        check(error)?;
        // SAFETY: the call succeeded.
        Ok(Self(unsafe { attributes.assume_init() }))
    }

    fn stack(&self) -> Result<StackBounds, Unknown> {
        let mut low = std::ptr::null_mut();
        let mut size = 0;
        // SAFETY: the attributes are initialised, and both results point to variables of their types.
        let error =
            unsafe { libc::pthread_attr_getstack(&raw const self.0, &raw mut low, &raw mut size) };
        check(error)?;
        let low = low.addr();
        Ok(StackBounds {
            low,
            high: low + size,
        })
    }
}

#[cfg(target_os = "linux")]
impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: the attributes are initialised, and not used again.
        unsafe { libc::pthread_attr_destroy(&raw mut self.0) };
    }
}

#[cfg(target_os = "linux")]
fn check(error: libc::c_int) -> Result<(), Unknown> {
    match error {
        0 => Ok(()),
        error => {
            let error = std::io::Error::from_raw_os_error(error);
            Err(Unknown::failed(
                "read the limits of this thread's stack",
                &error,
            ))
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn contain_this_threads_variables_and_no_others() {
        let here = 0_u8;
        let bounds = StackBounds::current().unwrap();
        assert!(bounds.contains((&raw const here).addr()));
        let there = std::thread::spawn(|| StackBounds::current().unwrap())
            .join()
            .unwrap();
        assert!(!there.contains((&raw const here).addr()));
    }
}
