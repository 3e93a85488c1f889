/**
 * The {@code holdfast} command: one class per command, all of them clients of the REST API except
 * {@code init}, {@code server}, {@code agent} and {@code identifier parse}.
 */
@NullMarked
package io.holdfast.node.cli;

import org.jspecify.annotations.NullMarked;
