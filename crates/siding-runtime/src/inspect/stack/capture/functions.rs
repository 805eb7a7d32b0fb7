//! [`Functions`]: the program's own functions by address, with their full names.
//!
//! Line tables alone (`debug = "line-tables-only"`) name a function that has others inlined into it without its
//! path: an `async fn` is `{async_fn#0}`, whose it may. The program's symbol table has the whole name.

use std::fs::File;

use backtrace::SymbolName;
use object::{Object, ObjectSymbol, ReadCache, SymbolKind};

use super::modules;

/// The program's file, of which only the parts that are looked at are read, once.
pub(in super::super) type Image = ReadCache<File>;

/// Opens the file that the process was started from, even if it has been replaced since.
pub(in super::super) fn image() -> Option<Image> {
    File::open("/proc/self/exe").ok().map(ReadCache::new)
}

/// The functions of the running program, without those of its libraries.
#[derive(Debug)]
pub(in super::super) struct Functions<'i> {
    /// What the loader has added to the addresses in the file.
    bias: u64,
    /// Sorted by start.
    functions: Vec<Function<'i>>,
}

#[derive(Debug)]
struct Function<'i> {
    start: u64,
    size: u64,
    mangled: &'i [u8],
}

impl<'i> Functions<'i> {
    /// Reads the symbol table. It is missing from a stripped program.
    pub(in super::super) fn read(image: &'i Image) -> Option<Self> {
        let bias = modules::bias_of_the_program()?;
        let file = object::File::parse(image).ok()?;
        let mut functions: Vec<_> = file
            .symbols()
            .filter(|symbol| symbol.kind() == SymbolKind::Text)
            .filter_map(|symbol| {
                Some(Function {
                    start: symbol.address(),
                    size: symbol.size(),
                    mangled: symbol.name_bytes().ok()?,
                })
            })
            .collect();
        functions.sort_unstable_by_key(|function| function.start);
        Some(Self { bias, functions })
    }

    /// The name of the function around `address`, demangled and without its hash.
    pub(in super::super) fn name_at(&self, address: usize) -> Option<String> {
        let address = (address as u64).checked_sub(self.bias)?;
        let next = self
            .functions
            .partition_point(|function| function.start <= address);
        let function = self.functions.get(next.checked_sub(1)?)?;
        if address - function.start >= function.size {
            return None;
        }
        // The alternate form leaves out the hash.
        Some(format!("{:#}", SymbolName::new(function.mangled)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn full_of_inlined_functions(values: &[u32]) -> u32 {
        values.iter().map(|value| value.wrapping_mul(3)).sum()
    }

    #[test]
    fn names_a_function_of_the_program_with_its_path() {
        let image = image().unwrap();
        let functions = Functions::read(&image).unwrap();
        let address = full_of_inlined_functions as *const () as usize;
        let name = functions.name_at(address).unwrap();
        assert!(name.starts_with("siding_runtime::inspect::"), "{name}");
        assert!(name.ends_with("::full_of_inlined_functions"), "{name}");
    }

    #[test]
    fn addresses_outside_the_program_have_no_name() {
        let image = image().unwrap();
        let functions = Functions::read(&image).unwrap();
        assert_eq!(functions.name_at(0), None);
        assert_eq!(functions.name_at(libc::getpid as *const () as usize), None);
    }
}
