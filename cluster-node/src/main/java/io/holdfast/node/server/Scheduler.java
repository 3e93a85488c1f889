package io.holdfast.node.server;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.api.Requests;
import io.holdfast.node.server.Lookup.Client;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.VersionedResource;
import io.holdfast.standard.Resource;
import io.holdfast.standard.ScheduleResource;
import io.holdfast.standard.Uuid7;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the backups and rehearsals that the schedules in the resource DB ask for (F16). Runs on the
 * active leader. A firing's job id follows from its client and its time, so a firing that two leaders
 * see starts one job; likewise a rehearsal's report. What fell into a time without a leader is not made
 * up for here.
 */
final class Scheduler {
    private static final Logger LOG = LoggerFactory.getLogger(Scheduler.class);

    private static final int SAMPLES = 3;

    private final Supplier<ClusterState> record;
    private final InstantSource clock;

    private Consumer<Requests.Backup> start = _ -> {};
    private Consumer<Requests.Rehearsal> rehearse = _ -> {};
    private Instant checked;

    /** A scheduler of what the record says, as of now. */
    Scheduler(Supplier<ClusterState> record, InstantSource clock) {
        this.record = record;
        this.clock = clock;
        this.checked = clock.instant();
    }

    void startsWith(Consumer<Requests.Backup> starter) {
        start = starter;
    }

    void rehearsesWith(Consumer<Requests.Rehearsal> rehearser) {
        rehearse = rehearser;
    }

    /** Fires what became due since the last round. */
    synchronized void round() {
        Instant now = clock.instant();
        Instant since = checked;
        checked = now;
        if (since.isBefore(now.minusSeconds(60))) {
            since = now.minusSeconds(60);
        }
        Lookup lookup = Lookup.in(record.get());
        for (VersionedResource resource : lookup.state().resources(Resource.Type.SCHEDULE)) {
            ScheduleResource schedule = ScheduleResource.of(resource.resource());
            if (schedule.isOfRehearsals()) {
                UUID id = resource.resource().id();
                due(schedule, since, now).ifPresent(at -> rehearse(lookup, id, at));
            }
        }
        for (Client client : lookup.clients()) {
            Optional<Instant> due = due(lookup, client, since, now);
            if (due.isPresent()
                    && Lookup.suspension(client.view(), lookup.state().epoch().site()).isEmpty()) {
                fire(lookup, client, due.get());
            }
        }
    }

    private static Optional<Instant> due(Lookup lookup, Client client, Instant since, Instant now) {
        return schedule(lookup, client).flatMap(s -> due(s, since, now));
    }

    private static Optional<Instant> due(ScheduleResource schedule, Instant since, Instant now) {
        return Optional.ofNullable(
                        schedule.cron().next(ZonedDateTime.ofInstant(since, schedule.zone())))
                .map(ZonedDateTime::toInstant)
                .filter(next -> !next.isAfter(now));
    }

    /** A rehearsal takes minutes: the schedules go on beside it. */
    private void rehearse(Lookup lookup, UUID schedule, Instant due) {
        UUID id =
                Uuid7.of(
                        due.toEpochMilli(),
                        schedule.getMostSignificantBits(),
                        schedule.getLeastSignificantBits());
        if (lookup.state().resource(id).isPresent()) {
            return;
        }
        Thread.ofVirtual()
                .name("rehearsal-" + id)
                .start(() -> {
                    try {
                        rehearse.accept(new Requests.Rehearsal(SAMPLES, id));
                    } catch (ApiException e) {
                        LOG.warn("Scheduled rehearsal {} failed: {}", id, e.getMessage());
                    }
                });
    }

    private static Optional<ScheduleResource> schedule(Lookup lookup, Client client) {
        try {
            return lookup.state()
                    .resource(Resource.Type.SCHEDULE, lookup.group(client).schedule())
                    .map(VersionedResource::resource)
                    .map(ScheduleResource::of)
                    .filter(s -> !s.isOfRehearsals());
        } catch (ApiException e) {
            return Optional.empty();
        }
    }

    private void fire(Lookup lookup, Client client, Instant due) {
        UUID job =
                Uuid7.of(
                        due.toEpochMilli(),
                        client.id().getMostSignificantBits(),
                        client.id().getLeastSignificantBits());
        if (lookup.state().job(job).isPresent()) {
            return;
        }
        String level = schedule(lookup, client).orElseThrow().level();
        try {
            start.accept(new Requests.Backup(client.id().toString(), null, level, job));
        } catch (ApiException e) {
            LOG.warn(
                    "Scheduled backup of {} was not started: {}",
                    client.view().name(),
                    e.getMessage());
        }
    }
}
