package io.holdfast.replication.state;

import io.holdfast.standard.Site;

/**
 * A site that an operator has declared lost: nothing waits for it any more. It ends when the site is
 * heard again.
 *
 * @param site which
 * @param timeMicros leader's time, epoch microseconds
 * @param who the operator
 * @param reason in the operator's words
 */
public record Abandonment(Site site, long timeMicros, String who, String reason) {}
