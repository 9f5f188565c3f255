//! Decimal numbers read and written exactly, without floating point.

/// Why a text is not a number that can be kept exactly.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not of the form `123` or `123.45`.
    #[error("{0:?} is not a plain decimal number like 123.45")]
    NotANumber(String),
    /// More digits after the point than the unit has.
    #[error("{text:?} has more than {decimals} decimals")]
    TooPrecise {
        /// The text.
        text: String,
        /// What the unit has.
        decimals: u8,
    },
    /// Out of range.
    #[error("{0:?} is too large")]
    TooLarge(String),
}

/// Reads a number of whole units into base units, of which a whole one has `10^decimals`. Nothing
/// is rounded. Underscores between digits are allowed, as in `1_000_000`.
///
/// # Errors
/// [`DecimalError`].
pub fn units(text: &str, decimals: u8) -> Result<u128, DecimalError> {
    let shown = || text.trim().to_owned();
    let plain: String = text.trim().chars().filter(|c| *c != '_').collect();
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || plain.ends_with('.') {
        return Err(DecimalError::NotANumber(shown()));
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > usize::from(decimals) {
        return Err(DecimalError::TooPrecise {
            text: shown(),
            decimals,
        });
    }
    let padded = format!("{whole}{fraction:0<width$}", width = usize::from(decimals));
    padded.parse().map_err(|_| DecimalError::TooLarge(shown()))
}

/// Reads a share like `75 %` or `0.75` into parts per million.
///
/// # Errors
/// [`DecimalError`].
pub fn ppm(text: &str) -> Result<u32, DecimalError> {
    let (number, decimals) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent, 4),
        None => (text, 6),
    };
    u32::try_from(units(number, decimals)?).map_err(|_| DecimalError::TooLarge(text.to_owned()))
}

/// Writes base units as whole units, without zeros at the end: the inverse of [`units`].
#[must_use]
pub fn show(units: u128, decimals: u8) -> String {
    let digits = format!("{units:0>width$}", width = usize::from(decimals) + 1);
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
    match fraction.trim_end_matches('0') {
        "" => whole.to_owned(),
        fraction => format!("{whole}.{fraction}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_both_ways() {
        for (text, decimals, expected) in [
            ("0", 6, 0),
            ("1", 0, 1),
            ("1.5", 6, 1_500_000),
            ("1_000", 6, 1_000_000_000),
            ("0.000001", 6, 1),
            ("2.50", 1, 25),
            (
                "123456789.123456789123456789",
                18,
                123_456_789_123_456_789_123_456_789,
            ),
        ] {
            assert_eq!(units(text, decimals), Ok(expected), "{text}");
            assert_eq!(units(&show(expected, decimals), decimals), Ok(expected));
        }
    }

    #[test]
    fn what_is_not_exact_is_refused() {
        for text in ["", ".5", "5.", "1e3", "-1", "+1", "1,5", "0x1", "NaN"] {
            assert!(matches!(units(text, 6), Err(DecimalError::NotANumber(_))));
        }
        assert!(matches!(
            units("0.0000001", 6),
            Err(DecimalError::TooPrecise { .. })
        ));
        let large = "340282366920938463463374607431768211456";
        assert!(matches!(units(large, 0), Err(DecimalError::TooLarge(_))));
    }

    #[test]
    fn shares_are_per_cent_or_parts_of_one() {
        assert_eq!(ppm("75 %"), Ok(750_000));
        assert_eq!(ppm("0.75"), Ok(750_000));
        assert_eq!(ppm("100.5%"), Ok(1_005_000));
        assert_eq!(ppm("0.0001 %"), Ok(1));
        assert!(ppm("0.00001 %").is_err());
    }
}
