//! Exact decimal prices.

use super::{MAX_PRICE, PRICE_DECIMALS, PRICE_SCALE};

/// Why a text is not a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// Nothing between the separators.
    #[error("is empty")]
    Empty,
    /// Not of the form `123` or `123.45`.
    #[error("is not a plain decimal number like 123.45")]
    NotANumber,
    /// `nan`, `inf` or a relative of these.
    #[error("is not a finite number")]
    NotFinite,
    /// More digits after the point than can be kept exactly.
    #[error("has more than 18 decimals; round it before loading")]
    TooPrecise,
    /// A price under zero.
    #[error("is negative")]
    Negative,
    /// A price of exactly zero.
    #[error("is zero")]
    Zero,
    /// Above [`MAX_PRICE`].
    #[error("is above 10^12; check its unit")]
    TooLarge,
}

/// Reads a positive price like `123`, `123.45` or `.5` into a fixed point number scaled by
/// [`PRICE_SCALE`]. Nothing is rounded; surrounding blanks are ignored.
///
/// # Errors
///
/// A [`PriceError`] that names the first thing wrong with the text. Exponents (`1e3`), signs
/// other than a leading `-` or `+`, and digit separators are [`PriceError::NotANumber`].
pub fn parse_price(text: &str) -> Result<u128, PriceError> {
    let text = text.trim();
    let (negative, digits) = match text.as_bytes().first() {
        None => return Err(PriceError::Empty),
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        Some(_) => (false, text),
    };
    if ["nan", "inf", "infinity"]
        .iter()
        .any(|word| digits.eq_ignore_ascii_case(word))
    {
        return Err(PriceError::NotFinite);
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return Err(PriceError::NotANumber);
    }
    // Zeros at the end say nothing more, so they do not count as precision.
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > PRICE_DECIMALS as usize {
        return Err(PriceError::TooPrecise);
    }
    let units = scaled(whole, fraction).ok_or(PriceError::TooLarge)?;
    match units {
        0 => Err(PriceError::Zero),
        _ if negative => Err(PriceError::Negative),
        _ if units > MAX_PRICE => Err(PriceError::TooLarge),
        _ => Ok(units),
    }
}

/// `whole.fraction` in units of 10⁻¹⁸, or `None` if it does not fit.
fn scaled(whole: &str, fraction: &str) -> Option<u128> {
    let number = |digits: &str| match digits {
        "" => Some(0),
        digits => digits.parse::<u128>().ok(),
    };
    let missing = PRICE_DECIMALS.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    let below_one = number(fraction)?.checked_mul(10u128.checked_pow(missing)?)?;
    number(whole)?
        .checked_mul(PRICE_SCALE)?
        .checked_add(below_one)
}

/// Writes a price scaled by [`PRICE_SCALE`] in full, without zeros at the end: the inverse of
/// [`parse_price`].
pub fn format_price(price: u128) -> String {
    let (whole, fraction) = (price / PRICE_SCALE, price % PRICE_SCALE);
    if fraction == 0 {
        return whole.to_string();
    }
    let fraction = format!("{fraction:018}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_plain_decimals_exactly() {
        assert_eq!(parse_price("195.43"), Ok(195_430_000_000_000_000_000));
        assert_eq!(parse_price(" 7 "), Ok(7 * PRICE_SCALE));
        assert_eq!(parse_price("+.5"), Ok(PRICE_SCALE / 2));
        assert_eq!(parse_price("0.000000000000000001"), Ok(1));
        assert_eq!(
            parse_price("43.40000000000000000000000"),
            Ok(434 * PRICE_SCALE / 10)
        );
        assert_eq!(parse_price("1000000000000"), Ok(MAX_PRICE));
    }

    #[test]
    fn names_what_is_wrong() {
        let cases = [
            ("", PriceError::Empty),
            ("  ", PriceError::Empty),
            ("-", PriceError::NotANumber),
            (".", PriceError::NotANumber),
            ("1e3", PriceError::NotANumber),
            ("1,5", PriceError::NotANumber),
            ("1.2.3", PriceError::NotANumber),
            ("--1", PriceError::NotANumber),
            ("1_000", PriceError::NotANumber),
            ("٣", PriceError::NotANumber),
            ("€5", PriceError::NotANumber),
            ("NaN", PriceError::NotFinite),
            ("-inf", PriceError::NotFinite),
            ("Infinity", PriceError::NotFinite),
            ("0.0000000000000000001", PriceError::TooPrecise),
            ("-1", PriceError::Negative),
            ("0", PriceError::Zero),
            ("-0.00", PriceError::Zero),
            ("1000000000000.1", PriceError::TooLarge),
            (
                "99999999999999999999999999999999999999999999",
                PriceError::TooLarge,
            ),
        ];
        for (text, error) in cases {
            assert_eq!(parse_price(text), Err(error), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn written_prices_read_back(price in 1..=MAX_PRICE) {
            prop_assert_eq!(parse_price(&format_price(price)), Ok(price));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            if let Ok(price) = parse_price(&text) {
                prop_assert!(price > 0 && price <= MAX_PRICE);
            }
        }
    }
}
