//! The colours of charts: few, told apart in print and by colour-blind eyes, one meaning each.

/// A colour with its opacity.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Colour {
    /// 0 to 255.
    pub(super) red: u8,
    /// 0 to 255.
    pub(super) green: u8,
    /// 0 to 255.
    pub(super) blue: u8,
    /// 0 (not there) to 1 (covers).
    pub(super) alpha: f64,
}

impl Colour {
    /// Paper.
    pub(super) const WHITE: Colour = Colour::hex(0xff_ff_ff);
    /// Headings.
    pub(super) const INK: Colour = Colour::hex(0x1d_23_2b);
    /// Labels.
    pub(super) const GREY: Colour = Colour::hex(0x5b_66_73);
    /// Axes.
    pub(super) const AXIS: Colour = Colour::hex(0x9a_a4_af);
    /// The mesh.
    pub(super) const MESH: Colour = Colour::hex(0xe6_e9_ed);
    /// Phases.
    pub(super) const PHASE: Colour = Colour::hex(0xee_f1_f4);

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
pub(super) const OK: Colour = Colour::hex(0x2f_80_a8);
/// Operations that failed; messages lost.
pub(super) const FAILED: Colour = Colour::hex(0xc2_3b_34);
/// Operations whose end nobody knows.
pub(super) const UNKNOWN: Colour = Colour::hex(0xf0_b4_3c);
/// The median.
pub(super) const MEDIAN: Colour = Colour::hex(0x2f_80_a8);
/// The slowest in a hundred.
pub(super) const TAIL: Colour = Colour::hex(0xe0_7b_1a);
/// The slowest of all.
pub(super) const WORST: Colour = Colour::hex(0x8e_2a_5a);

/// Colours for lines and arms, in order of use.
pub(super) const SERIES: [Colour; 8] = [
    Colour::hex(0x2f_80_a8),
    Colour::hex(0xe0_7b_1a),
    Colour::hex(0x3d_9a_5f),
    Colour::hex(0x8e_2a_5a),
    Colour::hex(0x6b_6f_c9),
    Colour::hex(0xb8_8a_16),
    Colour::hex(0x3a_b0_a2),
    Colour::hex(0x77_5a_45),
];

/// Colours for faults, in order of declaration; used faint behind data and full in the lane above it.
pub(super) const FAULTS: [Colour; 7] = [
    Colour::hex(0xd0_54_4c),
    Colour::hex(0x7a_5f_c0),
    Colour::hex(0xd3_93_1e),
    Colour::hex(0x2f_96_86),
    Colour::hex(0xc1_55_9a),
    Colour::hex(0x5f_8f_36),
    Colour::hex(0x4b_72_c4),
];
/// Further faults, which share a lane.
pub(super) const FURTHER_FAULTS: Colour = Colour::hex(0x77_80_8a);
