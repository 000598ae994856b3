# SPDX-FileCopyrightText: 2026 The hmp_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Errors that say what to do. Everything raised on purpose derives from :class:`HmpError`."""


class HmpError(Exception):
    """Base of all errors of this package."""


class AssetError(HmpError):
    """A shipped model file is missing, altered or unreadable."""


class HandModelError(HmpError):
    """A hand model file does not hold a MANO-schema hand, or asks for classes that are not admitted."""


class SourceError(HmpError):
    """A video, image folder, camera or bag cannot be read."""


class ImageError(HmpError):
    """One image cannot be used (encoding, step, size); the caller counts it, warns and goes on."""


class CameraError(HmpError):
    """Camera intrinsics are unusable."""


class TransformError(HmpError):
    """Where the camera stands is not known."""


class ConfigError(HmpError):
    """A parameter lies outside its allowed range."""


class DataError(HmpError):
    """A motion file or data set does not have the expected fields or shapes."""
