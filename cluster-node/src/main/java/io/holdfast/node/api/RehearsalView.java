package io.holdfast.node.api;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The report of a rehearsal: a failover that was played through in a sandbox beside production.
 *
 * @param id of the report's resource
 * @param node that held the sandbox
 * @param site that took over in it
 * @param started when, by that node's clock
 * @param seconds from the first step until the sandbox was gone
 * @param verdict what it says
 * @param productionEpoch the cluster's epoch, which did not change
 * @param sandboxEpoch that the sandbox opened, in the namespace DRILL; absent when it opened none
 * @param sandboxLineage random; absent as before
 * @param snapshot the moment that was rehearsed
 * @param rto how long a failover would have taken
 * @param steps what was done
 * @param clients all of them, critical ones first
 * @param samples the data pieces that were restored or checked
 * @param problems what a failover would have met; each names its thing
 * @param gaps what this rehearsal could not show, or what an operator should look at
 * @param productionUntouched promise, role and lineages of the node are what they were before, byte
 *     for byte
 * @param notStored why the report is not in the resource DB; absent when it is
 */
public record RehearsalView(
        UUID id,
        String node,
        String site,
        Moment started,
        double seconds,
        Verdict verdict,
        String productionEpoch,
        @Nullable String sandboxEpoch,
        @Nullable UUID sandboxLineage,
        Snapshot snapshot,
        Rto rto,
        List<StepView> steps,
        List<Client> clients,
        List<Sample> samples,
        List<String> problems,
        List<String> gaps,
        boolean productionUntouched,
        @Nullable String notStored) {
    /** Copies the lists. */
    public RehearsalView {
        steps = List.copyOf(steps);
        clients = List.copyOf(clients);
        samples = List.copyOf(samples);
        problems = List.copyOf(problems);
        gaps = List.copyOf(gaps);
    }

    /** The same report, which could not be stored. */
    public RehearsalView notStored(String why) {
        return new RehearsalView(
                id,
                node,
                site,
                started,
                seconds,
                verdict,
                productionEpoch,
                sandboxEpoch,
                sandboxLineage,
                snapshot,
                rto,
                steps,
                clients,
                samples,
                problems,
                gaps,
                productionUntouched,
                why);
    }

    /** What a rehearsal says. */
    public enum Verdict {
        /** Everything was shown, and all of it held. */
        PASSED,
        /** All that was shown held; the gaps name the rest. */
        GAPS,
        /** A failover now would not have kept what is promised. */
        FAILED
    }

    /**
     * The moment that was rehearsed.
     *
     * @param entries last entry of the log that the sandbox was made from
     * @param replication how replication to this site stood
     * @param resources in the resource DB
     * @param pieces rows in the copy of the catalog
     * @param protectedPieces jobs that the record shows as DR_PROTECTED
     * @param atRisk jobs that the loss ledger of a failover at that moment would have listed
     */
    public record Snapshot(
            long entries,
            String replication,
            int resources,
            long pieces,
            int protectedPieces,
            int atRisk) {}

    /**
     * Times from the command until something was possible, in milliseconds; absent when it never was.
     *
     * @param writable the first write was committed in the new epoch
     * @param firstCritical a critical client's backup could have been ordered
     * @param firstByte the first byte of a sample was restored
     * @param samples every sample was restored and compared
     */
    public record Rto(
            @Nullable Long writable,
            @Nullable Long firstCritical,
            @Nullable Long firstByte,
            @Nullable Long samples) {}

    /**
     * A client in the sandbox's epoch.
     *
     * @param critical whether its backups must go on
     * @param fate {@code GOES_ON}, {@code SUSPENDED} or {@code REFUSED}
     * @param agent where its agent is at this site; absent when it has none
     * @param agentAnswers whether that agent answered
     * @param identifiers each logical identifier, and as it would be dialled or why not
     * @param reason why it would not go on; empty when it would
     */
    public record Client(
            String name,
            boolean critical,
            String fate,
            @Nullable String agent,
            boolean agentAnswers,
            List<IdentifierView> identifiers,
            String reason) {
        /** Copies the list. */
        public Client {
            identifiers = List.copyOf(identifiers);
        }
    }

    /**
     * A data piece that was tried.
     *
     * @param how {@code RESTORED} by the agent into a folder that was thrown away, read back and hashed
     *     with its key; or {@code FRAMES}: no agent with its key was reachable, and the storage proved
     *     the manifest whole and the sealed frames unchanged
     * @param agent that restored it; absent without one
     * @param files restored; 0 without an agent
     * @param bytes restored, or of frames that were hashed
     * @param hashes chunks or frames whose hash was right
     * @param problems what was wrong; empty when it is whole
     */
    public record Sample(
            UUID piece,
            String client,
            String dataPiece,
            String how,
            @Nullable String agent,
            long files,
            long bytes,
            long hashes,
            long millis,
            List<String> problems) {
        /** Copies the list. */
        public Sample {
            problems = List.copyOf(problems);
        }
    }
}
