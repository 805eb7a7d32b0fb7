//! From values to pixels.

/// Maps values onto a range of pixels, which may run downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
    from_px: f64,
    to_px: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Logarithmic,
}

impl Scale {
    /// Even steps from `low` to `high`; equal ends are moved apart.
    pub(super) fn linear(low: f64, high: f64, from_px: f64, to_px: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self {
            kind: Kind::Linear,
            low,
            high,
            from_px,
            to_px,
        }
    }

    /// Equal distances for equal factors, over whole decades from that of `low` to that of `high`.
    ///
    /// Both must be above zero.
    pub(super) fn decades(low: f64, high: f64, from_px: f64, to_px: f64) -> Self {
        let low = low.log10().floor();
        Self {
            kind: Kind::Logarithmic,
            low,
            high: high.log10().ceil().max(low + 1.0),
            from_px,
            to_px,
        }
    }

    /// The pixel of `value`; values outside are moved to the nearer end.
    pub(super) fn px(self, value: f64) -> f64 {
        let value = match self.kind {
            Kind::Linear => value,
            Kind::Logarithmic => value.max(f64::MIN_POSITIVE).log10(),
        };
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.from_px + share * (self.to_px - self.from_px)
    }

    /// Round values to label: the decades, or three to eight even steps.
    pub(super) fn ticks(self) -> Vec<f64> {
        let step = match self.kind {
            Kind::Linear => round_step((self.high - self.low) / 5.0),
            Kind::Logarithmic => 1.0,
        };
        let first = (self.low / step).ceil() * step;
        let steps = (0..).map(|index| first + f64::from(index) * step);
        let within = steps.take_while(|value| *value <= self.high + step * 1e-9);
        match self.kind {
            Kind::Linear => within.collect(),
            Kind::Logarithmic => within.map(|power| 10f64.powf(power)).collect(),
        }
    }
}

/// The next of 1, 2 and 5 times a power of ten that is not below `step`.
fn round_step(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factors = [1.0, 2.0, 5.0];
    let factor = factors.into_iter().find(|factor| factor * power >= step);
    factor.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_scales_may_run_downwards() {
        let scale = Scale::linear(0.0, 10.0, 100.0, 0.0);
        assert_eq!(scale.px(0.0), 100.0);
        assert_eq!(scale.px(2.5), 75.0);
        assert_eq!(scale.px(99.0), 0.0);
    }

    #[test]
    fn decades_are_whole_and_evenly_far_apart() {
        let scale = Scale::decades(0.3, 45.0, 0.0, 300.0);
        assert_eq!(scale.ticks(), [0.1, 1.0, 10.0, 100.0]);
        assert_eq!(scale.px(1.0), 100.0);
        assert_eq!(scale.px(0.0), 0.0);
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(Scale::linear(0.0, 1.0, 0.0, 1.0).ticks().len(), 6);
        assert_eq!(
            Scale::linear(0.0, 24.0, 0.0, 1.0).ticks(),
            [0.0, 5.0, 10.0, 15.0, 20.0]
        );
    }

    #[test]
    fn a_range_of_nothing_still_scales() {
        assert_eq!(Scale::linear(3.0, 3.0, 0.0, 10.0).px(3.0), 0.0);
    }
}
