/**
 * The open standard as pure values: identifiers, Master Backup Record, resources, catalog records,
 * jobs and epochs.
 *
 * <p>Depends on the JDK and JSpecify alone. Nothing here reads a clock, a file, a socket or a
 * random source; every value validates itself in its constructor, and a bad text is refused with
 * the position and the expected form ({@link io.holdfast.standard.FormatException}).
 */
@NullMarked
package io.holdfast.standard;

import org.jspecify.annotations.NullMarked;
