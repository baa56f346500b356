//! How deep a source is nested, found without parsing it.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::Mode;
use ruff_python_parser::lexer::lex;

/// Deepest nesting that is parsed. Parsing, walking and dropping the tree recurse, and the guest's own compiler stops at 500.
const MAX_NESTING: usize = 500;
/// Most indented blocks inside each other, as in CPython.
const MAX_INDENTATION: usize = 100;

/// Whether nesting passes what can be parsed safely. Within one bracket and between two commas, no tree is deeper than its operators are many.
pub(super) fn too_deep(text: &str) -> bool {
    let mut levels = vec![0_usize];
    let mut indentation = 0_usize;
    // Brackets left open before a statement: a parser goes on after them, but they may still be on its stack.
    let mut abandoned = 0_usize;
    let mut lexer = lex(text, Mode::Module);
    loop {
        let kind = lexer.next_token();
        match kind {
            TokenKind::EndOfFile => return false,
            TokenKind::Indent => indentation += 1,
            TokenKind::Dedent => indentation = indentation.saturating_sub(1),
            TokenKind::Newline => levels = vec![0],
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => levels.push(1),
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                if levels.len() > 1 {
                    levels.pop();
                }
                // `f(1)(2)(3)`: what follows wraps what was there.
                count(&mut levels);
            }
            TokenKind::Comma | TokenKind::Semi => {
                levels.last_mut().into_iter().for_each(|level| *level = 0);
            }
            TokenKind::Def
            | TokenKind::Class
            | TokenKind::Import
            | TokenKind::Return
            | TokenKind::While
            | TokenKind::With
            | TokenKind::Try
            | TokenKind::Except
            | TokenKind::Raise
            | TokenKind::Pass => {
                abandoned += levels.len() - 1;
                levels = vec![0];
            }
            TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline => {}
            _ => count(&mut levels),
        }
        if indentation > MAX_INDENTATION || abandoned + levels.iter().sum::<usize>() > MAX_NESTING {
            return true;
        }
    }
}

fn count(levels: &mut [usize]) {
    if let Some(level) = levels.last_mut() {
        *level += 1;
    }
}
