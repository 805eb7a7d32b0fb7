//! Scalars as Python shows them.

use std::borrow::Cow;

/// A number, a truth value or nothing, as Python shows it. `NaN` and its like are understood.
pub(super) fn scalar(text: &str) -> Cow<'_, str> {
    let known = match text {
        "null" => "None",
        "true" => "True",
        "false" => "False",
        "NaN" => "nan",
        "Infinity" => "inf",
        "-Infinity" => "-inf",
        "-0" => "0",
        _ if text.contains(['.', 'e', 'E']) => {
            return text
                .parse()
                .map_or(Cow::Borrowed(text), |number| Cow::Owned(float(number)));
        }
        whole => whole,
    };
    Cow::Borrowed(known)
}

/// The shortest digits that mean this number, with an exponent where Python has one.
fn float(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{number:?}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_look_as_in_python() {
        let same = [
            ("1.0", "1.0"),
            ("1e16", "1e+16"),
            ("1e15", "1000000000000000.0"),
            ("123456789012345680.0", "1.2345678901234568e+17"),
            ("1E22", "1e+22"),
            ("1e-7", "1e-07"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("-0.0", "-0.0"),
            ("-0", "0"),
            ("1e400", "inf"),
            ("-1e400", "-inf"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("NaN", "nan"),
        ];
        for (json, python) in same {
            assert_eq!(scalar(json), python);
        }
    }
}
