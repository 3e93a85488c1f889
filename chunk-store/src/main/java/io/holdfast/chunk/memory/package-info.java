/** The chunk store in memory, for tests: the same contract, nothing durable. */
@NullMarked
package io.holdfast.chunk.memory;

import org.jspecify.annotations.NullMarked;
