from leat.common import Duration, Instant, Time


def test_time_counts_milliseconds():
    assert Time.days(1).to_milliseconds() == 86_400_000
    assert Time.hours(1) == Time.minutes(60) == Time.seconds(3600) == Time.milliseconds(3_600_000)
    assert str(Time.seconds(2)) == "2000 ms"
    assert Time.seconds(1) != Time.seconds(2)


def test_duration_equality_over_units():
    assert Duration.of_days(1) == Duration.of_hours(24) == Duration.of_minutes(1440)
    assert Duration.of_seconds(1) == Duration.of_millis(1000) == Duration.of_nanos(10**9)
    assert hash(Duration.of_seconds(1)) == hash(Duration.of_millis(1000))


def test_instant_there_and_back():
    for milli in (0, 1, -1, 1_700_000_000_123, -1_700_000_000_123):
        assert Instant.of_epoch_milli(milli).to_epoch_milli() == milli
    assert repr(Instant.of_epoch_milli(1500)) == "Instant<1, 500000000>"
    assert Instant.of_epoch_milli(-1) == Instant(-1, 999_000_000)
