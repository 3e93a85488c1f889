package io.holdfast.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.ZonedDateTime;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CronScheduleTest {
    @ParameterizedTest(name = "{0} after {1}")
    @CsvSource({
        "'* * * * *',2026-03-01T10:00:30Z[UTC],2026-03-01T10:01Z[UTC]",
        "'0 */3 * * *',2026-03-01T09:00:00Z[UTC],2026-03-01T12:00Z[UTC]",
        "'30 2 * * mon-fri',2026-03-06T02:30Z[UTC],2026-03-09T02:30Z[UTC]",
        "'0 0 29 2 *',2026-03-01T00:00Z[UTC],2028-02-29T00:00Z[UTC]",
        "'0 0 13 * 5',2026-03-01T00:00Z[UTC],2026-03-06T00:00Z[UTC]",
        "'0 0 * * 7',2026-03-02T00:00Z[UTC],2026-03-08T00:00Z[UTC]",
        "'5,10-20/5 1 1 jan,DEC *',2026-03-01T00:00Z[UTC],2026-12-01T01:05Z[UTC]",
        "'50/5 * * * *',2026-03-01T00:51Z[UTC],2026-03-01T00:55Z[UTC]",
        "@daily,2026-03-01T00:00Z[UTC],2026-03-02T00:00Z[UTC]",
        // The hour that spring skips: once, after the gap.
        "'30 2 * * *',2026-03-28T03:00+01:00[Europe/Berlin],2026-03-29T03:00+02:00[Europe/Berlin]",
        "'30 2 * * *',2026-03-29T03:00+02:00[Europe/Berlin],2026-03-30T02:30+02:00[Europe/Berlin]",
        // The hour that autumn repeats: once, and every quarter of an hour all the same.
        "'30 2 * * *',2026-10-25T02:30+02:00[Europe/Berlin],2026-10-26T02:30+01:00[Europe/Berlin]",
        "'*/15 * * * *',2026-10-25T02:45+02:00[Europe/Berlin],2026-10-25T02:00+01:00[Europe/Berlin]",
    })
    void nextStart(String cron, String after, String expected) {
        assertThat(CronSchedule.parse(cron).next(ZonedDateTime.parse(after)))
                .isEqualTo(ZonedDateTime.parse(expected));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "* * * *",
                "* * * * * *",
                "60 * * * *",
                "* 24 * * *",
                "* * 0 * *",
                "* * 31 2 *",
                "a * * * *",
                "5-1 * * * *",
                "*/0 * * * *",
                ", * * * *",
                "* * * foo *",
                "-1 * * * *"
            })
    void badTextsAreRefused(String text) {
        assertThatThrownBy(() -> CronSchedule.parse(text)).isInstanceOf(FormatException.class);
    }
}
