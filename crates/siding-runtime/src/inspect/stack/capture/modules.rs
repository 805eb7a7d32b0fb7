//! The program and its libraries as they lie in memory, with the tables that tell how to unwind their frames.
#![expect(
    unsafe_code,
    reason = "the loader's list is a C interface of raw pointers"
)]

use std::borrow::Cow;
use std::ffi::{CStr, c_int, c_void};
use std::ops::Range;
use std::slice;

use framehop::ExplicitModuleSectionInfo;

/// A loaded module for framehop. Tables of the program itself are borrowed, as it is never unloaded; those of
/// libraries are copied, so that a walk never reads what `dlclose` has unmapped.
pub(super) type Module = framehop::Module<Cow<'static, [u8]>>;

/// How often the loader has added and removed modules: what tells that [`loaded`] has something new to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    added: u64,
    removed: u64,
}

/// The version of the loader's list.
pub(super) fn version() -> Option<Version> {
    let mut version = None;
    visit(|object| {
        version.get_or_insert(Version {
            added: object.info.dlpi_adds,
            removed: object.info.dlpi_subs,
        });
    });
    version
}

/// What the loader has added to the program's own addresses.
pub(super) fn bias_of_the_program() -> Option<u64> {
    let mut bias = None;
    visit(|object| {
        bias.get_or_insert(object.info.dlpi_addr);
    });
    bias
}

/// All modules with unwind tables.
pub(super) fn loaded() -> Vec<Module> {
    let mut modules = Vec::new();
    visit(|object| modules.extend(object.module()));
    modules
}

/// Shows each loaded object to `visitor` while the loader's lock keeps it loaded. The program itself comes first.
fn visit<V: FnMut(Object<'_>)>(visitor: V) {
    struct Visit<V> {
        visitor: V,
        count: usize,
    }

    extern "C" fn show<V: FnMut(Object<'_>)>(
        info: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        visit: *mut c_void,
    ) -> c_int {
        // SAFETY: the loader passes a valid description on, and the pointer is the visit given below.
        let (info, visit) = unsafe { (&*info, &mut *visit.cast::<Visit<V>>()) };
        let is_program = visit.count == 0;
        visit.count += 1;
        (visit.visitor)(Object { info, is_program });
        0
    }

    let mut visit = Visit { visitor, count: 0 };
    // SAFETY: `show` casts back to the visit's type, and the visit outlives the call. A panic in the visitor would
    // abort at the C boundary instead of unwinding into the loader.
    unsafe { libc::dl_iterate_phdr(Some(show::<V>), (&raw mut visit).cast()) };
}

/// One entry of the loader's list.
struct Object<'l> {
    info: &'l libc::dl_phdr_info,
    is_program: bool,
}

impl Object<'_> {
    fn module(&self) -> Option<Module> {
        let header = self
            .segments()
            .find(|segment| segment.p_type == libc::PT_GNU_EH_FRAME)?;
        let header = range(header);
        let eh_frame_start = eh_frame_address(self.bytes(&header)?, header.start)?;
        let eh_frame = eh_frame_start..self.end_of_segment_with(eh_frame_start)?;
        let sections = ExplicitModuleSectionInfo {
            eh_frame_hdr: Some(self.lasting(&header)?),
            eh_frame_hdr_svma: Some(header),
            eh_frame: Some(self.lasting(&eh_frame)?),
            eh_frame_svma: Some(eh_frame),
            ..ExplicitModuleSectionInfo::default()
        };
        let base = self.info.dlpi_addr;
        let loaded = self.loaded()?;
        let addresses = base.wrapping_add(loaded.start)..base.wrapping_add(loaded.end);
        Some(Module::new(self.name(), addresses, base, sections))
    }

    fn name(&self) -> String {
        if self.info.dlpi_name.is_null() {
            return String::new();
        }
        // SAFETY: the loader's name is a C string that lives as long as the entry.
        unsafe { CStr::from_ptr(self.info.dlpi_name) }
            .to_string_lossy()
            .into_owned()
    }

    fn segments(&self) -> impl Iterator<Item = &libc::Elf64_Phdr> {
        let (first, count) = (self.info.dlpi_phdr, usize::from(self.info.dlpi_phnum));
        if first.is_null() {
            return [].iter();
        }
        // SAFETY: the loader's own table of `dlpi_phnum` program headers, which lives as long as the entry.
        unsafe { slice::from_raw_parts(first, count) }.iter()
    }

    fn loaded_segments(&self) -> impl Iterator<Item = Range<u64>> {
        self.segments()
            .filter(|segment| segment.p_type == libc::PT_LOAD)
            .map(range)
    }

    /// From the start of the first segment to the end of the last.
    fn loaded(&self) -> Option<Range<u64>> {
        self.loaded_segments()
            .reduce(|all, next| all.start.min(next.start)..all.end.max(next.end))
    }

    fn end_of_segment_with(&self, address: u64) -> Option<u64> {
        let segment = self
            .loaded_segments()
            .find(|segment| segment.contains(&address))?;
        Some(segment.end)
    }

    /// The bytes at `range` of the module's own addresses.
    fn bytes(&self, range: &Range<u64>) -> Option<&[u8]> {
        let segment = self
            .loaded_segments()
            .find(|segment| segment.contains(&range.start))?;
        if range.end > segment.end {
            return None;
        }
        let start = self.info.dlpi_addr.wrapping_add(range.start) as usize;
        let length = usize::try_from(range.end - range.start).ok()?;
        // SAFETY: the range lies in one loaded segment, which is mapped while the entry lives. Segments with
        // unwind tables are read-only, so nobody writes to the bytes.
        Some(unsafe { slice::from_raw_parts(std::ptr::with_exposed_provenance(start), length) })
    }

    /// The same bytes for as long as the process lives.
    fn lasting(&self, range: &Range<u64>) -> Option<Cow<'static, [u8]>> {
        let bytes = self.bytes(range)?;
        if self.is_program {
            // SAFETY: the program itself stays mapped until the process ends.
            let lasting = unsafe { slice::from_raw_parts(bytes.as_ptr(), bytes.len()) };
            return Some(Cow::Borrowed(lasting));
        }
        Some(Cow::Owned(bytes.to_vec()))
    }
}

fn range(segment: &libc::Elf64_Phdr) -> Range<u64> {
    segment.p_vaddr..segment.p_vaddr.saturating_add(segment.p_memsz)
}

/// The address of `.eh_frame`, out of the `.eh_frame_hdr` that lies at `address`: version 1, three bytes of
/// encodings, and the pointer. Every linker writes it as four bytes relative to themselves (encoding `0x1b`).
fn eh_frame_address(header: &[u8], address: u64) -> Option<u64> {
    const VERSION: u8 = 1;
    const RELATIVE_I32: u8 = 0x1b;
    let [VERSION, RELATIVE_I32, _, _, pointer @ ..] = header else {
        return None;
    };
    let offset = i32::from_ne_bytes(*pointer.first_chunk()?);
    (address + 4).checked_add_signed(offset.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_tables_of_program_and_libraries() {
        let before = version();
        assert!(before.is_some());
        assert!(!loaded().is_empty());
        assert_eq!(version(), before);
    }

    #[test]
    fn reads_where_the_table_lies() {
        let header = [1, 0x1b, 3, 0x3b, 0x10, 0, 0, 0, 9, 9];
        assert_eq!(eh_frame_address(&header, 0x1000), Some(0x1014));
        let header = [1, 0x1b, 3, 0x3b, 0xfc, 0xff, 0xff, 0xff];
        assert_eq!(eh_frame_address(&header, 0x1000), Some(0x1000));
    }

    #[test]
    fn refuses_other_headers() {
        assert_eq!(eh_frame_address(&[], 0x1000), None);
        assert_eq!(
            eh_frame_address(&[2, 0x1b, 3, 0x3b, 0, 0, 0, 0], 0x1000),
            None
        );
        assert_eq!(
            eh_frame_address(&[1, 0x0b, 3, 0x3b, 0, 0, 0, 0], 0x1000),
            None
        );
        assert_eq!(eh_frame_address(&[1, 0x1b, 3, 0x3b, 0, 0], 0x1000), None);
    }
}
