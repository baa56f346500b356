//! The scale of a chart's upright axis.

/// Round values from 0 up to at least `top`, at most four of them above 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The value at the top edge; above 0.
    pub max: f64,
    /// Between two lines.
    pub step: f64,
}

impl Scale {
    /// `whole`: only whole steps make sense, as for counts.
    pub fn up_to(top: f64, whole: bool) -> Self {
        let top = if top > 0.0 { top } else { 1.0 };
        let rough = top / 3.0;
        let magnitude = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0]
            .into_iter()
            .map(|factor| factor * magnitude)
            .find(|step| *step >= rough * 0.999_999)
            .unwrap_or(10.0 * magnitude);
        let step = if whole { step.ceil().max(1.0) } else { step };
        Self {
            max: (top / step).ceil() * step,
            step,
        }
    }

    /// Where the lines stand, from 0 to the top.
    pub fn lines(self) -> impl Iterator<Item = f64> {
        let count = (self.max / self.step).round() as u32;
        (0..=count).map(move |index| f64::from(index) * self.step)
    }

    /// A value's height in percent.
    pub fn percent(self, value: f64) -> f64 {
        (value / self.max * 100.0).clamp(0.0, 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Scale;

    #[test]
    fn a_scale_ends_at_a_round_value_with_few_lines() {
        for top in [
            0.0, 0.000_3, 0.018, 0.97, 1.0, 2.0, 3.0, 7.0, 99.0, 2_263.0, 1e9,
        ] {
            for whole in [true, false] {
                let scale = Scale::up_to(top, whole);
                assert!(scale.max >= top, "{top}");
                assert!(
                    (2..=5).contains(&scale.lines().count()),
                    "{top} {whole}: {}",
                    scale.lines().count()
                );
            }
        }
        assert_eq!(
            Scale::up_to(2_263.0, true),
            Scale {
                max: 3_000.0,
                step: 1_000.0
            }
        );
    }

    #[test]
    fn counts_have_whole_lines() {
        assert!(
            Scale::up_to(2.0, true)
                .lines()
                .all(|line| line.fract() == 0.0)
        );
    }
}
