//! A day of the calendar.

use std::fmt;
use std::str::FromStr;

/// A day of the Gregorian calendar, of the years 1 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

/// A text that is no day: not `YYYY-MM-DD`, or one that the calendar does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDate;

impl fmt::Display for NoDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not a day, written as `2027-01-31`")
    }
}

impl std::error::Error for NoDate {}

impl Date {
    /// The day, if the calendar has it.
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let known = year >= 1 && year <= 9999 && month >= 1 && month <= 12;
        if known && day >= 1 && day <= days_of(year, month) {
            return Some(Self { year, month, day });
        }
        None
    }

    /// The day on which a moment falls in UTC, in seconds since 1970-01-01.
    ///
    /// Moments after the year 9999 fall on its last day.
    pub fn of_unix(seconds: u64) -> Self {
        let (mut year, mut days) = (1970_u16, seconds / 86_400);
        // 400 years repeat, with 146,097 days.
        year = year.saturating_add(u16::try_from(days / 146_097 * 400).unwrap_or(u16::MAX));
        days %= 146_097;
        while days >= days_of_year(year) && year < 9999 {
            days -= days_of_year(year);
            year += 1;
        }
        for month in 1..=12 {
            let length = u64::from(days_of(year, month));
            if year <= 9999 && days < length {
                let day = u8::try_from(days + 1).expect("internal error: a month of 256 days");
                return Self { year, month, day };
            }
            days = days.saturating_sub(length);
        }
        Self { year: 9999, month: 12, day: 31 }
    }
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn days_of(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

const fn days_of_year(year: u16) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        let plain = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        };
        if text.len() != 10 || !text.bytes().enumerate().all(plain) {
            return Err(NoDate);
        }
        let number = |from: usize, to: usize| text[from..to].parse::<u16>().ok();
        let small = |from, to| number(from, to).and_then(|number| u8::try_from(number).ok());
        match (number(0, 4), small(5, 7), small(8, 10)) {
            (Some(year), Some(month), Some(day)) => Self::new(year, month, day).ok_or(NoDate),
            _ => Err(NoDate),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_of_the_calendar_are_read() {
        for text in ["2026-11-21", "2024-02-29", "2000-02-29", "0001-01-01", "9999-12-31"] {
            assert_eq!(text.parse::<Date>().map(|day| day.to_string()), Ok(text.to_owned()));
        }
        for text in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-1-1",
            "26-01-01",
            "2026/01/01",
            "2026-01-01T00:00:00Z",
            "",
            "0000-01-01",
            "2026-01-0\u{e9}",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NoDate), "{text}");
        }
    }

    #[test]
    fn days_follow_each_other() {
        assert_eq!(Date::of_unix(0).to_string(), "1970-01-01");
        assert_eq!(Date::of_unix(951_782_400).to_string(), "2000-02-29");
        assert_eq!(Date::of_unix(1_795_219_200 - 1).to_string(), "2026-11-20");
        assert_eq!(Date::of_unix(1_795_219_200).to_string(), "2026-11-21");
        assert_eq!(Date::of_unix(u64::MAX).to_string(), "9999-12-31");
        let mut before = Date::of_unix(0);
        for day in 1..200_000 {
            let next = Date::of_unix(day * 86_400);
            assert!(before < next && Date::new(next.year, next.month, next.day) == Some(next));
            before = next;
        }
        assert_eq!(before.to_string(), "2517-07-31");
    }
}
