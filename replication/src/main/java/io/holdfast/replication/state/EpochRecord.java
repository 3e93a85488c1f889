package io.holdfast.replication.state;

/**
 * When an epoch began.
 *
 * @param change which, and out of which lineage
 * @param timeMicros leader's time, epoch microseconds
 */
public record EpochRecord(Command.EpochChange change, long timeMicros) {}
