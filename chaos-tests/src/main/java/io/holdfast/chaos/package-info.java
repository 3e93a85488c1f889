/**
 * The cluster seen from outside: the drill, workloads, faults and checkers.
 *
 * <p>{@code compare} and {@code workload} share no code with the product, so that a bug there cannot
 * hide itself here. {@code fault} breaks machines: signals, full disks, power loss, flipped bits, cut
 * links. {@code cluster} runs clusters of real processes, and breaks them. {@code drill} is the script of the site-loss drill; it uses the commands a person would type. {@code bench} measures; {@code ops/bench} starts it.
 */
@NullMarked
package io.holdfast.chaos;

import org.jspecify.annotations.NullMarked;
