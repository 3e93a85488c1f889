package io.holdfast.node.server;

import io.holdfast.node.api.ApiException;
import io.holdfast.node.server.Lookup.Client;
import io.holdfast.replication.state.ClusterState;
import io.holdfast.replication.state.Command;
import io.holdfast.replication.state.JobRecord;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens what goes on with the backups that a planned move has stopped. Runs on the active leader, again and
 * again: a successor that cannot be opened yet is tried in the next round. Cost of an idle round: a walk over
 * the jobs of the record.
 */
final class Successors {
    private static final Logger LOG = LoggerFactory.getLogger(Successors.class);

    private final SitePorts.Log log;
    private final JobRunner jobs;
    private final BiConsumer<Lookup, Client> mayBegin;
    private final Map<UUID, String> told = new ConcurrentHashMap<>();

    /** @param mayBegin throws an ApiException where the ack policy forbids a client's backup now */
    Successors(SitePorts.Log log, JobRunner jobs, BiConsumer<Lookup, Client> mayBegin) {
        this.log = log;
        this.jobs = jobs;
        this.mayBegin = mayBegin;
    }

    /** Opens those that are due, and follows whatever was opened without this node knowing it. */
    void round() {
        jobs.followAll();
        ClusterState state = log.state();
        Lookup lookup = Lookup.in(state);
        for (JobRecord job : Checkpoints.due(state)) {
            try {
                open(lookup, job, lookup.client(job.client()).orElseThrow());
            } catch (ApiException e) {
                String why = String.valueOf(e.getMessage());
                if (!why.equals(told.put(job.id(), why))) {
                    LOG.warn("What goes on with job {} is not opened yet: {}", job.id(), why);
                }
            }
        }
    }

    private void open(Lookup lookup, JobRecord job, Client client) {
        mayBegin.accept(lookup, client);
        Command.JobOpened next = Checkpoints.successor(lookup, job, client);
        UUID id = next.job().id();
        log.submit(next, id);
        told.remove(job.id());
        LOG.info("Job {} goes on as job {}", job.id(), id);
        jobs.follow(id);
    }
}
