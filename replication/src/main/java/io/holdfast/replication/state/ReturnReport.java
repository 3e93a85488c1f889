package io.holdfast.replication.state;

import com.google.protobuf.ByteString;
import io.holdfast.standard.Epoch;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;

/**
 * What a site that returned after a forced change had acknowledged beyond the fork. It is computed by
 * {@link Divergence} at each returned member, and kept in the lineage that goes on; of several members
 * the one with the longest log is believed.
 *
 * @param lineage the divergent one
 * @param epoch its newest
 * @param forkIndex its last entry that was taken over; -1 when it was a branch of its own
 * @param members the nodes that have handed over what they had
 * @param lastTerm term of its last entry
 * @param lastIndex index of its last entry
 * @param resources by id
 * @param jobs by id
 * @param notes of its audit, oldest first
 * @param timeMicros when it was taken, leader's time
 * @param signature of the operator who has dealt with it
 */
public record ReturnReport(
        UUID lineage,
        Epoch epoch,
        long forkIndex,
        SortedSet<String> members,
        long lastTerm,
        long lastIndex,
        List<DivergentResource> resources,
        List<DivergentJob> jobs,
        List<AuditRecord> notes,
        long timeMicros,
        Optional<Signature> signature) {
    /** Copies the collections. */
    public ReturnReport {
        members = Collections.unmodifiableSortedSet(new TreeSet<>(members));
        resources = List.copyOf(resources);
        jobs = List.copyOf(jobs);
        notes = List.copyOf(notes);
    }

    /**
     * Who has dealt with it, and when.
     *
     * @param timeMicros leader's time
     * @param reason in the operator's words
     */
    public record Signature(String who, long timeMicros, String reason) {}

    /** Whether somebody has to look at it: a resource diverged, or a piece is corrupt. */
    public boolean needsSignature() {
        return !resources.isEmpty()
                || jobs.stream().anyMatch(j -> j.fate() == DivergentJob.Fate.CORRUPTION);
    }

    /** Whether it stands in the way of a planned move. */
    public boolean isOpen() {
        return needsSignature() && signature.isEmpty();
    }

    /** The bytes, as in {@code cluster.proto}. */
    public ByteString toBytes() {
        return Codec.report(this).toByteString();
    }

    /**
     * Reads {@link #toBytes()}.
     *
     * @throws io.holdfast.standard.FormatException when they are damaged
     */
    public static ReturnReport parse(ByteString bytes) {
        return Codec.report(bytes);
    }

    /** This report when another member's of the same lineage has come: the longer log is believed. */
    ReturnReport with(ReturnReport other) {
        TreeSet<String> all = new TreeSet<>(members);
        all.addAll(other.members);
        boolean longer =
                other.lastTerm != lastTerm
                        ? other.lastTerm > lastTerm
                        : other.lastIndex > lastIndex;
        ReturnReport believed = longer ? other : this;
        boolean news =
                longer && !other.resources.equals(resources) || longer && !other.jobs.equals(jobs);
        return believed.as(
                all, news ? other.timeMicros : timeMicros, news ? Optional.empty() : signature);
    }

    /** This report as handed over by these members; by none while their jobs are still on the way. */
    public ReturnReport from(Set<String> newMembers) {
        return as(new TreeSet<>(newMembers), timeMicros, signature);
    }

    ReturnReport at(long micros) {
        return as(members, micros, signature);
    }

    ReturnReport signed(Signature by) {
        return as(members, timeMicros, Optional.of(by));
    }

    private ReturnReport as(
            SortedSet<String> newMembers, long micros, Optional<Signature> newSignature) {
        return new ReturnReport(
                lineage,
                epoch,
                forkIndex,
                newMembers,
                lastTerm,
                lastIndex,
                resources,
                jobs,
                notes,
                micros,
                newSignature);
    }
}
