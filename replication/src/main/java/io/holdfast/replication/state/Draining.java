package io.holdfast.replication.state;

import io.holdfast.standard.Site;

/**
 * A planned switchover under way: no job is opened until it is done or aborted.
 *
 * @param target the site that is to become active
 * @param sinceMicros leader's time of SwitchPrepare, epoch microseconds
 * @param reason why
 * @param operator who
 * @param limitMillis after which who had prepared it has ended it, one way or the other; 0: not said
 */
public record Draining(
        Site target, long sinceMicros, String reason, String operator, long limitMillis) {}
