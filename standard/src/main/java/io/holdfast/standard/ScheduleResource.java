package io.holdfast.standard;

import java.time.DateTimeException;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The typed view of a resource of type {@code schedule}: when jobs start and at which level, or when
 * rehearsals do.
 *
 * @param name unique among schedules
 * @param cron when
 * @param zone the zone in which {@code cron} is read
 * @param level of backup: {@code full} or {@code incremental} (a first one is full in any case), or
 *     {@link #REHEARSAL}
 */
public record ScheduleResource(String name, CronSchedule cron, ZoneId zone, String level) {
    /** The level of a schedule that starts rehearsals, of no group's. */
    public static final String REHEARSAL = "rehearsal";

    /** Checks every field. */
    public ScheduleResource {
        ResourceInfo.require("schedule name", name);
        var _ = level(level);
    }

    /** Whether it starts rehearsals, not backups. */
    public boolean isOfRehearsals() {
        return level.equals(REHEARSAL);
    }

    /** Reads a resource. @throws FormatException naming the resource and the key */
    public static ScheduleResource of(Resource resource) {
        ResourceInfo info = ResourceInfo.of(resource, Resource.Type.SCHEDULE);
        return new ScheduleResource(
                resource.name(),
                info.parse("cron", CronSchedule::parse),
                info.parse("zone", info.optional("zone").orElse("UTC"), ScheduleResource::zone),
                info.parse(
                        "level",
                        info.optional("level").orElse("incremental"),
                        ScheduleResource::level));
    }

    private static String level(String text) {
        if (!List.of("full", "incremental", REHEARSAL).contains(text)) {
            throw new FormatException(
                    "schedule level", text, 0, "full, incremental or " + REHEARSAL);
        }
        return text;
    }

    private static ZoneId zone(String text) {
        try {
            return ZoneId.of(text);
        } catch (DateTimeException e) {
            throw new FormatException("time zone", text, 0, "a zone such as UTC or Europe/Berlin");
        }
    }

    /** The resource of this view. */
    public Resource toResource(UUID id) {
        return ResourceInfo.resource(
                id,
                Resource.Type.SCHEDULE,
                name,
                Map.of("cron", cron.text(), "zone", zone.getId(), "level", level));
    }
}
