package io.holdfast.replication.state;

import io.holdfast.standard.Epoch;

/**
 * Who did what to which thing. Only the newest {@link ClusterState#MAX_AUDIT} are kept.
 *
 * @param timeMicros leader's time, epoch microseconds
 * @param epoch in which it was done
 * @param who identity of the operator or {@code system}
 * @param what the deed in words
 * @param subject the thing it was done to; empty when there is none
 */
public record AuditRecord(long timeMicros, Epoch epoch, String who, String what, String subject) {}
