//! Exact reading of decimal numbers: no floating point between a text and an integer.

/// The text `number` (digits, optional point, `_` allowed between digits) times `scale`, or `None` when the text is no
/// number, the product is not whole, or it leaves 128 bits.
///
/// ```
/// use deadletter::base::number::decimal;
/// assert_eq!(decimal("1.5", 1000), Some(1500));
/// assert_eq!(decimal("0.0001", 1000), None);
/// ```
#[must_use]
pub fn decimal(number: &str, scale: u128) -> Option<u128> {
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && part.is_empty()) {
        return None;
    }
    let mut total = digits(whole)?.checked_mul(scale)?;
    if !part.is_empty() {
        let places = u32::try_from(part.chars().filter(|c| *c != '_').count()).ok()?;
        let over = 10u128.checked_pow(places)?;
        let product = digits(part)?.checked_mul(scale)?;
        if product % over != 0 {
            return None;
        }
        total = total.checked_add(product / over)?;
    }
    Some(total)
}

/// A run of digits as a number.
fn digits(text: &str) -> Option<u128> {
    let mut value: u128 = 0;
    let mut seen = false;
    for c in text.chars() {
        if c == '_' {
            continue;
        }
        value = value.checked_mul(10)?.checked_add(u128::from(c.to_digit(10)?))?;
        seen = true;
    }
    seen.then_some(value)
}
