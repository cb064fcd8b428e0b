//! The colours of charts: few, told apart in print and by colour-blind eyes, one meaning each.

/// A colour with its opacity.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::report) struct Colour {
    /// 0 to 255.
    pub(in crate::report) red: u8,
    /// 0 to 255.
    pub(in crate::report) green: u8,
    /// 0 to 255.
    pub(in crate::report) blue: u8,
    /// 0 (not there) to 1 (covers).
    pub(super) alpha: f64,
}

impl Colour {
    /// Paper.
    pub(in crate::report) const WHITE: Colour = Colour::hex(0x00ff_ffff);
    /// Headings.
    pub(in crate::report) const INK: Colour = Colour::hex(0x001d_232b);
    /// Labels.
    pub(in crate::report) const GREY: Colour = Colour::hex(0x005b_6673);
    /// Axes.
    pub(in crate::report) const AXIS: Colour = Colour::hex(0x009a_a4af);
    /// The mesh.
    pub(in crate::report) const MESH: Colour = Colour::hex(0x00e6_e9ed);
    /// Phases.
    pub(in crate::report) const PHASE: Colour = Colour::hex(0x00ee_f1f4);

    /// From `0xRRGGBB`, covering.
    pub(super) const fn hex(rgb: u32) -> Colour {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Colour { red, green, blue, alpha: 1.0 }
    }
    /// The same, more transparent.
    pub(super) const fn faint(self, alpha: f64) -> Colour {
        Colour { alpha, ..self }
    }
}

/// Operations that succeeded; messages delivered once.
pub(in crate::report) const OK: Colour = Colour::hex(0x002f_80a8);
/// Operations that failed; messages lost.
pub(in crate::report) const FAILED: Colour = Colour::hex(0x00c2_3b34);
/// Operations whose end nobody knows.
pub(in crate::report) const UNKNOWN: Colour = Colour::hex(0x00f0_b43c);
/// The median.
pub(super) const MEDIAN: Colour = Colour::hex(0x002f_80a8);
/// The slowest in a hundred.
pub(super) const TAIL: Colour = Colour::hex(0x00e0_7b1a);
/// The slowest of all.
pub(super) const WORST: Colour = Colour::hex(0x008e_2a5a);

/// Colours for lines and arms, in order of use.
pub(in crate::report) const SERIES: [Colour; 8] = [
    Colour::hex(0x002f_80a8),
    Colour::hex(0x00e0_7b1a),
    Colour::hex(0x003d_9a5f),
    Colour::hex(0x008e_2a5a),
    Colour::hex(0x006b_6fc9),
    Colour::hex(0x00b8_8a16),
    Colour::hex(0x003a_b0a2),
    Colour::hex(0x0077_5a45),
];

/// Colours for faults, in order of declaration; used faint behind data and full in the lane above it.
pub(in crate::report) const FAULTS: [Colour; 7] = [
    Colour::hex(0x00d0_544c),
    Colour::hex(0x007a_5fc0),
    Colour::hex(0x00d3_931e),
    Colour::hex(0x002f_9686),
    Colour::hex(0x00c1_559a),
    Colour::hex(0x005f_8f36),
    Colour::hex(0x004b_72c4),
];
/// Further faults, which share a lane.
pub(super) const FURTHER_FAULTS: Colour = Colour::hex(0x0077_808a);
