//! Reads of memory that may not be there: buffers that another thread's system call points to.
#![expect(unsafe_code, reason = "process_vm_readv has no safe wrapper")]

/// A divisor of every page size, so that a read within one such block is refused whole or done whole.
const BLOCK: u64 = 4096;

/// Copies this process's memory at `address` into `buffer` and returns how many bytes were there to copy.
///
/// The kernel does the copying and refuses what is not mapped, so an address out of a finished system call or
/// out of a hostile pointer does no harm. The bytes may be torn by a thread that writes them meanwhile.
pub(super) fn read(address: u64, buffer: &mut [u8]) -> usize {
    let mut done = 0;
    while done < buffer.len() {
        let Some(from) = address.checked_add(done as u64) else {
            break;
        };
        let length = (buffer.len() - done).min((BLOCK - from % BLOCK) as usize);
        let copied = read_block(from, &mut buffer[done..done + length]);
        done += copied;
        if copied < length {
            break;
        }
    }
    done
}

/// The `N` bytes at `address`, if all of them can be read.
pub(in crate::inspect) fn read_array<const N: usize>(address: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (read(address, &mut bytes) == N).then_some(bytes)
}

/// The bytes of the C string at `address`, up to `PATH_MAX` and without the zero.
pub(super) fn read_c_string(address: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; libc::PATH_MAX as usize];
    let read = read(address, &mut bytes);
    let length = bytes[..read].iter().position(|&byte| byte == 0)?;
    bytes.truncate(length);
    Some(bytes)
}

fn read_block(address: u64, buffer: &mut [u8]) -> usize {
    let local = libc::iovec {
        iov_base: buffer.as_mut_ptr().cast(),
        iov_len: buffer.len(),
    };
    let remote = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(address as usize),
        iov_len: buffer.len(),
    };
    // SAFETY: the local vector is the buffer, which we may write. The remote one is never dereferenced here: the
    // kernel checks it page by page and copies bytes, as a debugger's read would.
    let copied = unsafe {
        libc::process_vm_readv(libc::getpid(), &raw const local, 1, &raw const remote, 1, 0)
    };
    usize::try_from(copied).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_across_blocks() {
        let bytes: Vec<u8> = (0..10_000).map(|i| i as u8).collect();
        let mut copy = vec![0; bytes.len()];
        assert_eq!(read(bytes.as_ptr() as u64, &mut copy), bytes.len());
        assert_eq!(copy, bytes);
    }

    #[test]
    fn reads_a_c_string() {
        let path = c"/tmp/fifo";
        assert_eq!(read_c_string(path.as_ptr() as u64).unwrap(), b"/tmp/fifo");
    }

    #[test]
    fn refuses_addresses_that_are_not_mapped() {
        assert_eq!(read_array::<8>(0), None);
        assert_eq!(read_array::<8>(u64::MAX - 3), None);
        assert_eq!(read_c_string(16), None);
    }
}
