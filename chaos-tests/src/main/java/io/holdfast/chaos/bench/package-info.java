/** Benchmarks of a cluster of real processes; {@code ops/bench} starts them. */
@NullMarked
package io.holdfast.chaos.bench;

import org.jspecify.annotations.NullMarked;
