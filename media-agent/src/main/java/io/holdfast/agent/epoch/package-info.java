/**
 * Fencing: the highest epoch that this process has obeyed, kept durably (DR-PROTOCOL 3.5). Everything
 * that answers requests calls {@link io.holdfast.agent.epoch.EpochGuard#observe} first.
 */
@NullMarked
package io.holdfast.agent.epoch;

import org.jspecify.annotations.NullMarked;
