package io.holdfast.standard;

import java.time.ZonedDateTime;

/** When a job starts: five fields as cron reads them. */
public record CronSchedule(String text) {
    /** Reads five fields. */
    public static CronSchedule parse(String text) {
        return new CronSchedule(text);
    }

    /** The first time strictly after {@code after} that matches, to the minute, in its zone. */
    public ZonedDateTime next(ZonedDateTime after) {
        throw new UnsupportedOperationException("cron schedules are not built yet");
    }
}
