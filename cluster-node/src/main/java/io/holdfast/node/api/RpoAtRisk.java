package io.holdfast.node.api;

/**
 * What a loss of the active site would cost now.
 *
 * @param since when the oldest of it was acknowledged, or when the record said that the other site is
 *     away, whichever is earlier
 * @param changes entries of the log that the other site is not known to have
 * @param bytes stored bytes of the data pieces that are not DR_PROTECTED
 */
public record RpoAtRisk(Moment since, long changes, long bytes) {}
