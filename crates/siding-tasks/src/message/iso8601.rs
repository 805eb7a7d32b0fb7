//! Moments as Celery writes them.

use super::Timestamp;

/// `2026-11-22T21:04:48.135000+00:00`: microseconds and the offset in full, which every Python understands.
///
/// A moment beyond the years that can be written becomes the last one that can.
pub(crate) fn write(moment: Timestamp) -> String {
    let millis = moment.as_millis().clamp(
        jiff::Timestamp::MIN.as_millisecond(),
        jiff::Timestamp::MAX.as_millisecond() - 1,
    );
    let moment = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
    moment.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}

/// The moment that `text` is, down to the millisecond; UTC where it names no offset.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let with_offset = text.parse::<jiff::Timestamp>();
    let moment = with_offset.or_else(|_| {
        let civil: jiff::civil::DateTime = text.parse()?;
        jiff::tz::Offset::UTC.to_timestamp(civil)
    });
    moment
        .ok()
        .map(|moment| Timestamp::from_millis(moment.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_microseconds_and_its_offset() {
        let text = write(Timestamp::from_millis(1_795_381_488_135));
        assert_eq!(text, "2026-11-22T21:04:48.135000+00:00");
    }

    #[test]
    fn every_form_that_celery_has_used_is_read() {
        let moment = Some(Timestamp::from_millis(1_795_381_488_135));
        assert_eq!(read("2026-11-22T21:04:48.135369+00:00"), moment);
        assert_eq!(read("2026-11-22T21:04:48.135Z"), moment);
        assert_eq!(read("2026-11-22T23:04:48.135369999+02:00"), moment);
        assert_eq!(read("2026-11-22T21:04:48.135369"), moment);
        assert_eq!(read("tomorrow"), None);
    }

    #[test]
    fn the_end_of_time_can_be_written() {
        assert!(read(&write(Timestamp::from_millis(i64::MAX))).is_some());
    }
}
