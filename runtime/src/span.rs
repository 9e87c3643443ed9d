use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A span of time, as a trainer's `max_time` and intervals take it.
///
/// Written as Lightning writes it, `DD:HH:MM:SS` (`00:00:30:00` is half an hour), or with units, `1h 30m`. In configuration
/// files also as a table: `{"minutes": 30}`.
///
/// ```
/// use std::time::Duration;
/// use tch_lightning::trainer::Span;
///
/// assert_eq!("00:12:00:00".parse(), Ok(Span(Duration::from_secs(12 * 3600))));
/// assert_eq!("1h 30m".parse(), Ok(Span(Duration::from_secs(5400))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(duration)
    }
}

/// Seconds in a day, an hour, a minute and a second.
const UNITS: [u64; 4] = [86_400, 3_600, 60, 1];

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lightning = text.contains(':').then(|| of_places(text));
        let duration = lightning.unwrap_or_else(|| humantime::parse_duration(text).ok());
        duration.map(Self).ok_or_else(|| format!("`{text}` is not a time: write DD:HH:MM:SS, or units such as 1h 30m"))
    }
}

fn of_places(text: &str) -> Option<Duration> {
    let numbers: Vec<u64> = text.split(':').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    let numbers: [u64; 4] = numbers.try_into().ok()?;
    let [_, hours, minutes, seconds] = numbers;
    let in_range = hours < 24 && minutes < 60 && seconds < 60;
    let mut units = numbers.iter().zip(UNITS);
    let total = units.try_fold(0_u64, |total, (number, seconds)| total.checked_add(number.checked_mul(seconds)?))?;
    in_range.then(|| Duration::from_secs(total))
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The arguments of Python's `timedelta` that make sense of a run.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct Table {
    weeks: f64,
    days: f64,
    hours: f64,
    minutes: f64,
    seconds: f64,
    milliseconds: f64,
}

impl Table {
    fn span(&self) -> Result<Span, String> {
        let days = self.weeks * 7.0 + self.days;
        let minutes = (days * 24.0 + self.hours) * 60.0 + self.minutes;
        let seconds = minutes * 60.0 + self.seconds + self.milliseconds / 1e3;
        let refused = match seconds {
            _ if seconds.is_nan() => "a time cannot be NaN".to_owned(),
            _ if seconds < 0.0 => "a time cannot be negative".to_owned(),
            _ => format!("a time cannot be longer than {} seconds", u64::MAX),
        };
        Duration::try_from_secs_f64(seconds).map(Span).map_err(|_| refused)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write a time: `DD:HH:MM:SS`, `1h 30m` or a table such as {\"minutes\": 30}")]
        enum Written {
            Text(String),
            Table(Table),
        }
        match Written::deserialize(deserializer)? {
            Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
            Written::Table(table) => table.span().map_err(serde::de::Error::custom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Span, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn time_is_written_in_three_ways() {
        let half_an_hour = Ok(Span(Duration::from_secs(1800)));
        assert_eq!(read("\"00:00:30:00\""), half_an_hour);
        assert_eq!(read("\"30m\""), half_an_hour);
        assert_eq!(read("{\"minutes\": 30}"), half_an_hour);
        assert_eq!(Span(Duration::from_secs(90_061)).to_string().parse(), "01:01:01:01".parse::<Span>());
    }

    #[test]
    fn invalid_times_are_refused() {
        let said = "`00:99:00:00` is not a time: write DD:HH:MM:SS, or units such as 1h 30m";
        assert_eq!("00:99:00:00".parse::<Span>().unwrap_err(), said);
        assert!(read("{\"fortnights\": 1}").is_err());
        assert!(read("{\"minutes\": -1}").unwrap_err().starts_with("a time cannot be negative"));
        let longer = "a time cannot be longer than 18446744073709551615 seconds";
        assert!(read("{\"days\": 1e30}").unwrap_err().starts_with(longer));
        let yaml = |text| crate::TrainerConfig::from_yaml(text).unwrap_err().to_string();
        assert_eq!(yaml("max_time: {minutes: .nan}"), "`max_time`: a time cannot be NaN");
        assert_eq!(yaml("max_time: {minutes: .inf}"), format!("`max_time`: {longer}"));
        assert_eq!(yaml("max_time: {hours: .inf, seconds: -.inf}"), "`max_time`: a time cannot be NaN");
    }

    #[test]
    fn longest_time_is_that_of_a_duration() {
        // u64::MAX seconds are 213,503,982,334,601 days, 7 hours, 15 seconds
        assert_eq!("213503982334601:07:00:15".parse(), Ok(Span(Duration::from_secs(u64::MAX))));
        for longer in ["213503982334601:07:00:16", "213503982334601:23:59:59", "18446744073709551615:00:00:00"] {
            assert!(longer.parse::<Span>().is_err(), "{longer}");
            assert!(read(&format!("\"{longer}\"")).unwrap_err().contains("is not a time"), "{longer}");
        }
        let longest = Span(Duration::MAX);
        assert_eq!(longest.to_string().parse(), Ok(longest));
    }
}
