//! Chance.

/// A random number from 0 to 1.
pub(crate) fn chance() -> f64 {
    let (high, _) = uuid::Uuid::new_v4().as_u64_pair();
    let number = u32::try_from(high >> 32).unwrap_or(u32::MAX);
    f64::from(number) / f64::from(u32::MAX)
}
