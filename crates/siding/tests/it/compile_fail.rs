//! What the compiler says to each misuse. `TRYBUILD=overwrite cargo test` writes the messages anew.

#[test]
fn misuse_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile-fail/*.rs");
    if cfg!(feature = "validate") {
        cases.compile_fail("tests/compile-fail/validate/*.rs");
    }
}
