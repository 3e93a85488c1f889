/**
 * Faults that are really injected, from outside the process that suffers them: signals, a full
 * disk, power loss, flipped bits, cut and slow links, a wrong clock.
 *
 * <p>Each says what it needs; where the machine cannot do it, {@link
 * io.holdfast.chaos.fault.FaultUnavailable} gives the reason. Mounts, loop devices and processes are
 * undone by their own names only.
 */
@NullMarked
package io.holdfast.chaos.fault;

import org.jspecify.annotations.NullMarked;
