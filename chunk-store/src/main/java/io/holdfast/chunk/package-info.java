@NullMarked
package io.holdfast.chunk;

import org.jspecify.annotations.NullMarked;
